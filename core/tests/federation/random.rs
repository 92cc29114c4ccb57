//! Any answers in any order: no panic, and an end.

use ocisign_core::{Step, TransportFault};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use crate::drive::{Replied, Reply, give, run, run_at};
use crate::made::{LEAF, NOW, OTHER_KEY, claims, public_key, token};
use crate::world::{answer, exchanges, key_of, resource_tokens, wrap};

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_answers_lead_to_an_end(
        which: Index,
        moves in prop::collection::vec(a_move(), 1..40),
        at in prop_oneof![Just(NOW), Just(0), Just(u64::MAX - 1_000_000), any::<u32>().prop_map(u64::from)],
    ) {
        let exchanges = exchanges();
        let mut moves = moves.into_iter().cycle();
        // What always says yes and always names another parent ends after ten.
        run_at(which.get(&exchanges).1(), [at, at], |request| {
            reply(&moves.next().unwrap(), request)
        });
    }

    #[test]
    fn one_odd_answer_among_right_ones_leads_to_an_end(
        which: Index,
        odd in a_move(),
        place in 0..12_usize,
    ) {
        let exchanges = exchanges();
        let mut requests = 0;
        run(which.get(&exchanges).1(), |request| {
            requests += 1;
            if requests - 1 == place { reply(&odd, request) } else { answer(request) }
        });
    }

    #[test]
    fn steps_and_answers_in_any_order_and_at_any_time_do_no_harm(
        which: Index,
        moves in prop::collection::vec((a_move(), any::<u64>(), any::<bool>()), 1..60),
    ) {
        let mut exchange = which.get(&exchanges()).1();
        let mut asked = None;
        let mut end: Option<String> = None;
        for (one, time, ask) in moves {
            if ask {
                let step = exchange.next_step(time);
                if let Ok(Step::Send(request)) = &step {
                    prop_assert!(end.is_none());
                    asked = Some(request.clone());
                }
                if let Ok(Step::Ready(credential)) = &step {
                    let id = credential.key_id().as_str().to_owned();
                    prop_assert_eq!(end.get_or_insert(id.clone()), &id);
                }
            } else if let Some(request) = &asked {
                // The answer to a request of before, which may not be that of now.
                give(&mut exchange, &reply(&one, request), time);
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Move {
    Any { status: u16, body: Vec<u8>, headers: Vec<(usize, String)> },
    Cut(Index),
    Fault(TransportFault),
    Flip(Index, u8),
    Parent(u8),
    Right,
    Status(u16),
    Token(u64, u64, bool),
    Wrong(usize),
}

fn a_move() -> impl Strategy<Value = Move> {
    use TransportFault::{Connection, Dns, Other, Protocol, Timeout, Tls, TooLarge};
    let value = "[ -~]{0,20}|[0-9]{1,20}|(Sat|Sun), 0[12] Jun 2024 00:00:00 GMT|https?://h/[a-z]?";
    prop_oneof![
        8 => Just(Move::Right),
        3 => any::<u8>().prop_map(Move::Parent),
        2 => (any::<u64>(), any::<u64>(), any::<bool>()).prop_map(|(a, b, c)| Move::Token(a, b, c)),
        2 => any::<usize>().prop_map(Move::Wrong),
        2 => any::<Index>().prop_map(Move::Cut),
        2 => (any::<Index>(), 1_u8..).prop_map(|(at, flip)| Move::Flip(at, flip)),
        1 => prop_oneof![Just(401), Just(404), Just(429), Just(503), any::<u16>()].prop_map(Move::Status),
        1 => prop::sample::select(vec![Connection, Dns, Other, Protocol, Timeout, Tls, TooLarge])
            .prop_map(Move::Fault),
        1 => (
            prop_oneof![Just(200), Just(204), any::<u16>()],
            any::<Vec<u8>>(),
            prop::collection::vec((0..NAMES.len(), value), 0..4),
        ).prop_map(|(status, body, headers)| Move::Any { status, body, headers }),
    ]
}

const NAMES: [&str; 4] = ["date", "Retry-After", "opc-parent-rpt-url", "x"];

fn reply(one: &Move, request: &ocisign_core::HttpRequest) -> Replied {
    let mut right = answer(request)?;
    match one {
        Move::Any { status, body, headers } => {
            let reply = Reply::new(*status, &**body);
            return Ok(headers.iter().fold(reply, |reply, (n, v)| reply.header(NAMES[*n], v)));
        }
        Move::Cut(at) => right.body.truncate(at.index(right.body.len())),
        Move::Fault(fault) => return Err(*fault),
        Move::Flip(at, flip) => {
            let at = at.index(right.body.len());
            right.body[at] ^= flip;
        }
        Move::Parent(which) => {
            return Ok(right.header("opc-parent-rpt-url", &format!("https://h/{which}")));
        }
        Move::Right => {}
        Move::Status(status) => right.status = *status,
        Move::Token(expires, from, own) => {
            let key = if *own && request.method == "POST" {
                key_of(request)
            } else {
                public_key(&OTHER_KEY)
            };
            let mut claims = claims(&key);
            claims["exp"] = json!(expires);
            claims["nbf"] = json!(from);
            right.body = wrap(request, &json!({ "token": token(&claims) })).into_bytes();
        }
        // The right answer to another call.
        Move::Wrong(which) => {
            let others = [&**LEAF, &**OTHER_KEY, "phx", "{}", "[]", &*resource_tokens()]
                .map(|text| text.as_bytes().to_vec());
            right.body.clone_from(&others[which % others.len()]);
        }
    }
    Ok(right)
}
