"""Regions: names and codes of the table, others, and what describes them."""

import json

XX = {
    "regionIdentifier": "xx-test-1",
    "regionKey": "xxt",
    "realmKey": "oc99",
    "realmDomainComponent": "oraclecloud99.com",
}
YY = {
    "regionIdentifier": "yy-test-1",
    "regionKey": "yyt",
    "realmKey": "oc98",
    "realmDomainComponent": "oraclecloud98.com",
}


def region(id, group, name, expected, **given):
    found = {"id": id, "group": group, "source": "rule", "region": name, **given}
    if expected is None:
        return found | {"result": "invalid", "error": "INVALID_REGION"}
    region_id, realm, domain = expected
    return found | {
        "result": "valid",
        "region_id": region_id,
        "realm": realm,
        "second_level_domain": domain,
    }


def without(member):
    return json.dumps({name: value for name, value in XX.items() if name != member})


def cases():
    return [*known(), *unknown(), *described(), *invalid()]


def known():
    of_the_table = {
        "us-ashburn-1": ("us-ashburn-1", "oc1", "oraclecloud.com"),
        "us-langley-1": ("us-langley-1", "oc2", "oraclegovcloud.com"),
        "us-gov-ashburn-1": ("us-gov-ashburn-1", "oc3", "oraclegovcloud.com"),
        "uk-gov-london-1": ("uk-gov-london-1", "oc4", "oraclegovcloud.uk"),
        "ap-chiyoda-1": ("ap-chiyoda-1", "oc8", "oraclecloud8.com"),
        "eu-frankfurt-2": ("eu-frankfurt-2", "oc19", "oraclecloud.eu"),
        "us-somerset-1": ("us-somerset-1", "oc23", "oraclecloud23.com"),
        "sa-riodejaneiro-1": ("sa-riodejaneiro-1", "oc52", "oraclecloud52.com"),
        "iad": ("us-ashburn-1", "oc1", "oraclecloud.com"),
        "phx": ("us-phoenix-1", "oc1", "oraclecloud.com"),
        "IAD": ("us-ashburn-1", "oc1", "oraclecloud.com"),
        "Fra": ("eu-frankfurt-1", "oc1", "oraclecloud.com"),
        "LTN": ("uk-gov-london-1", "oc4", "oraclegovcloud.uk"),
        "vll": ("eu-madrid-2", "oc19", "oraclecloud.eu"),
        "US-ASHBURN-1": ("us-ashburn-1", "oc1", "oraclecloud.com"),
    }
    here = ("us-ashburn-1", "oc1", "oraclecloud.com")
    named = json.dumps(XX | {"regionIdentifier": "us-ashburn-1", "regionKey": "iad"})
    return [region("table-" + name, "table", name, expected) for name, expected in of_the_table.items()] + [
        region("table-before-all", "table", "us-ashburn-1", here, regions_config=f"[{named}]", region_metadata=named, realm_domain="example.com"),
    ]


def unknown():
    return [
        region("unknown", "unknown", "xx-test-1", ("xx-test-1", "oc1", "oraclecloud.com")),
        region("unknown-one-word", "unknown", "test", ("test", "oc1", "oraclecloud.com")),
        region("unknown-domain-given", "unknown", "xx-test-1", ("xx-test-1", None, "oraclecloud99.com"), realm_domain="oraclecloud99.com"),
        region("dotted", "unknown", "foo.bar.com", ("foo.bar.com", None, None)),
        region("dotted-long", "unknown", "us-ashburn-1.oci.example.com", ("us-ashburn-1.oci.example.com", None, None)),
        region("dotted-before-domain", "unknown", "foo.bar.com", ("foo.bar.com", None, None), realm_domain="oraclecloud99.com"),
        region("underscore", "unknown", "xx_test_1", ("xx_test_1", "oc1", "oraclecloud.com")),
    ]


def described():
    xx = ("xx-test-1", "oc99", "oraclecloud99.com")
    other = json.dumps(XX | {"realmKey": "oc97", "realmDomainComponent": "oraclecloud97.com"})
    upper = json.dumps({name: value.upper() for name, value in XX.items()})
    dotted = json.dumps(XX | {"regionIdentifier": "foo.bar.com"})
    both = json.dumps([YY, XX])
    return [
        region("metadata-id", "described", "xx-test-1", xx, region_metadata=json.dumps(XX)),
        region("metadata-code", "described", "xxt", xx, region_metadata=json.dumps(XX)),
        region("metadata-code-upper", "described", "XXT", xx, region_metadata=json.dumps(XX)),
        region("metadata-upper", "described", "xx-test-1", xx, region_metadata=upper),
        region("metadata-more-members", "described", "xx-test-1", xx, region_metadata=json.dumps(XX | {"other": 1})),
        region("metadata-of-another", "described", "xx-test-1", ("xx-test-1", "oc1", "oraclecloud.com"), region_metadata=json.dumps(YY)),
        region("metadata-of-another-domain-given", "described", "xx-test-1", ("xx-test-1", None, "oraclecloud97.com"), region_metadata=json.dumps(YY), realm_domain="oraclecloud97.com"),
        region("metadata-before-domain", "described", "xx-test-1", xx, region_metadata=json.dumps(XX), realm_domain="oraclecloud97.com"),
        region("metadata-before-dotted", "described", "foo.bar.com", ("foo.bar.com", "oc99", "oraclecloud99.com"), region_metadata=dotted),
        region("config-id", "described", "xx-test-1", xx, regions_config=both),
        region("config-code", "described", "yyt", ("yy-test-1", "oc98", "oraclecloud98.com"), regions_config=both),
        region("config-empty", "described", "xx-test-1", ("xx-test-1", "oc1", "oraclecloud.com"), regions_config="[]"),
        region("config-of-others", "described", "zz-test-1", ("zz-test-1", "oc1", "oraclecloud.com"), regions_config=both),
        region("config-before-metadata", "described", "xx-test-1", xx, regions_config=both, region_metadata=other),
        region("config-of-others-then-metadata", "described", "xx-test-1", xx, regions_config=json.dumps([YY]), region_metadata=json.dumps(XX)),
    ]


def invalid():
    names = {
        "empty": "",
        "blank": " ",
        "slash": "us-ashburn-1/x",
        "at": "x@evil.example",
        "colon": "evil.example:8080",
        "question": "x?",
        "hash": "x#",
        "percent": "x%2f",
        "newline": "us-ashburn-1\n",
        "blank-after": "us-ashburn-1 ",
        "non-ascii": "us-\u00e4shburn-1",
        "nul": "us\u0000",
        "backslash": "x\\y",
        "brace": "{region}",
    }
    metadata = {
        "not-json": "not json",
        "empty": "",
        "cut": json.dumps(XX)[:-1],
        "array": json.dumps([XX]),
        "string": '"xx-test-1"',
        "null": "null",
        "empty-object": "{}",
        "no-id": without("regionIdentifier"),
        "no-code": without("regionKey"),
        "no-realm": without("realmKey"),
        "no-domain": without("realmDomainComponent"),
        "empty-domain": json.dumps(XX | {"realmDomainComponent": ""}),
        "number": json.dumps(XX | {"realmKey": 1}),
        "domain-slash": json.dumps(XX | {"realmDomainComponent": "evil.example/"}),
    }
    configs = {
        "not-json": "[",
        "empty": "",
        "object": json.dumps(XX),
        "of-strings": '["xx-test-1"]',
        "no-domain": f"[{without('realmDomainComponent')}]",
        "empty-code": json.dumps([XX | {"regionKey": ""}]),
    }
    return [
        *(region("bad-name-" + id, "invalid", name, None) for id, name in names.items()),
        *(region("bad-metadata-" + id, "invalid", "xx-test-1", None, region_metadata=text) for id, text in metadata.items()),
        *(region("bad-config-" + id, "invalid", "xx-test-1", None, regions_config=text) for id, text in configs.items()),
        region("bad-domain-slash", "invalid", "xx-test-1", None, realm_domain="evil.example/x"),
        region("bad-domain-at", "invalid", "xx-test-1", None, realm_domain="x@evil.example"),
    ]
