//! Object Storage, in memory.

use std::collections::HashMap;

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::Outcome;
use crate::answer::Answer;
use crate::call::Call;
use crate::clock::http_date;
use crate::config::BucketConfig;
use crate::guard::Rule;
use crate::policy::Operation;
use crate::principal::Principal;

/// Objects by bucket and name.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    objects: HashMap<(String, String), Object>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Object {
    body: Bytes,
    content_type: String,
    etag: String,
    modified: i64,
}

impl Object {
    /// What it takes, with what keeps it.
    fn size(&self, name: &str) -> usize {
        self.body.len() + self.content_type.len() + name.len() + 512
    }
}

pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome {
    let namespace = call.state.config.tenancy.namespace.as_str();
    match (call.request.method, path) {
        (_, [_, "b", _, "o", ""]) | ("PUT" | "DELETE" | "HEAD", [_, "b", _, "o"]) => {
            call.authenticate(Rule::UnsignedBody)?;
            Err(Answer::invalid("the object has no name"))
        }
        ("GET", [] | [""]) => get_namespace(call),
        ("GET", [own, "b", bucket]) if *own == namespace => get_bucket(call, bucket),
        ("GET", [own, "b", bucket, "o"]) if *own == namespace => list(call, bucket),
        ("PUT", [own, "b", bucket, "o", name @ ..]) if *own == namespace => {
            put(call, bucket, &name.join("/"))
        }
        ("GET" | "HEAD", [own, "b", bucket, "o", name @ ..]) if *own == namespace => {
            get(call, bucket, &name.join("/"))
        }
        ("DELETE", [own, "b", bucket, "o", name @ ..]) if *own == namespace => {
            delete(call, bucket, &name.join("/"))
        }
        _ => {
            call.authenticate(Rule::Full)?;
            Err(Answer::not_found("there is no such namespace, or nothing of this method"))
        }
    }
}

fn get_namespace(call: &mut Call<'_>) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    let compartment = call.parameter("compartmentId");
    let operation = Operation::GetNamespace { of_compartment: compartment.is_some() };
    let tenancy = &call.state.config.tenancy;
    call.authorize(&who, operation, compartment.as_deref().unwrap_or(&tenancy.id), &[])?;
    Ok(Answer::json(&json!(tenancy.namespace)))
}

fn get_bucket(call: &mut Call<'_>, name: &str) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    let bucket = bucket(call, &who, Operation::GetBucket, name, None)?;
    Ok(Answer::json(&json!({
        "namespace": call.state.config.tenancy.namespace,
        "name": bucket.name,
        "compartmentId": bucket.compartment,
    })))
}

fn list(call: &mut Call<'_>, name: &str) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    bucket(call, &who, Operation::ListObjects, name, None)?;
    let prefix = call.parameter("prefix").unwrap_or_default();
    let objects = crate::lock(&call.state.objects);
    let keys = objects.objects.keys();
    let mut names: Vec<&String> = keys
        .filter(|(bucket, object)| bucket == name && object.starts_with(&prefix))
        .map(|(_, object)| object)
        .collect();
    names.sort_unstable();
    let objects: Vec<Value> = names.into_iter().map(|name| json!({ "name": name })).collect();
    Ok(Answer::json(&json!({ "objects": objects, "prefixes": [] })))
}

/// `PutObject`, whose body need not be signed.
fn put(call: &mut Call<'_>, bucket_name: &str, name: &str) -> Outcome {
    let who = call.authenticate(Rule::UnsignedBody)?;
    let key = (bucket_name.to_owned(), name.to_owned());
    let overwrites = crate::lock(&call.state.objects).objects.contains_key(&key);
    bucket(call, &who, Operation::PutObject { overwrites }, bucket_name, Some(name))?;
    let header = |name| call.request.headers.get(name).and_then(|value| value.to_str().ok());
    let object = Object {
        body: Bytes::copy_from_slice(call.request.body),
        content_type: header("content-type").unwrap_or("application/octet-stream").to_owned(),
        etag: crate::random::id().to_ascii_lowercase(),
        modified: call.now,
    };
    let etag = object.etag.clone();
    let mut objects = crate::lock(&call.state.objects);
    if objects.objects.contains_key(&key) != overwrites {
        let message = "The object was created or deleted by another request meanwhile.";
        return Err(Answer::error(409, "ConcurrentObjectUpdate", message));
    }
    let before = objects.objects.get(&key).map_or(0, |object| object.size(name));
    let bytes = objects.bytes - before + object.size(name);
    if bytes > MAX_BYTES {
        let message = "The emulator holds 256 MiB of objects, and these would be more.";
        return Err(Answer::error(507, "InsufficientStorage", message));
    }
    objects.bytes = bytes;
    objects.objects.insert(key, object);
    Ok(Answer::empty(200).header("etag", etag).header("last-modified", http_date(call.now)))
}

fn get(call: &mut Call<'_>, bucket_name: &str, name: &str) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    let head = call.request.method == "HEAD";
    let operation = if head { Operation::HeadObject } else { Operation::GetObject };
    bucket(call, &who, operation, bucket_name, Some(name))?;
    let object = find(call, bucket_name, name)?;
    Ok(Answer::new(200, &object.content_type, object.body)
        .header("etag", object.etag)
        .header("last-modified", http_date(object.modified)))
}

fn delete(call: &mut Call<'_>, bucket_name: &str, name: &str) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    bucket(call, &who, Operation::DeleteObject, bucket_name, Some(name))?;
    find(call, bucket_name, name)?;
    let mut objects = crate::lock(&call.state.objects);
    if let Some(object) = objects.objects.remove(&(bucket_name.to_owned(), name.to_owned())) {
        objects.bytes -= object.size(name);
    }
    Ok(Answer::empty(204))
}

fn find(call: &Call<'_>, bucket: &str, name: &str) -> Result<Object, Answer> {
    let objects = crate::lock(&call.state.objects);
    objects.objects.get(&(bucket.to_owned(), name.to_owned())).cloned().ok_or_else(|| {
        let message = format!("The object '{name}' was not found in the bucket '{bucket}'");
        Answer::error(404, "ObjectNotFound", &message).because("there is no such object")
    })
}

/// The bucket, if the caller may do this in it.
fn bucket<'a>(
    call: &mut Call<'a>,
    who: &Principal,
    operation: Operation,
    name: &str,
    object: Option<&str>,
) -> Result<&'a BucketConfig, Answer> {
    let bucket = call.state.config.buckets.iter().find(|bucket| bucket.name == name);
    let bucket = bucket.ok_or_else(|| {
        let message = format!(
            "Either the bucket named '{name}' does not exist in the namespace '{}' or you are not \
             authorized to access it",
            call.state.config.tenancy.namespace
        );
        Answer::error(404, "BucketNotFound", &message).because("there is no such bucket")
    })?;
    let mut variables = vec![("target.bucket.name", name)];
    variables.extend(object.map(|object| ("target.object.name", object)));
    call.authorize(who, operation, &bucket.compartment, &variables)?;
    Ok(bucket)
}

const MAX_BYTES: usize = 256 << 20;
