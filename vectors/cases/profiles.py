"""Configuration files beyond those that the official readers were tried on."""


def profile(id, group, text, name="DEFAULT", values=None, line=None):
    found = {"id": id, "group": group, "source": "rule", "profile": name, "text": text}
    if values is not None:
        return found | {"result": "valid", "values": values}
    if line is not None:
        return found | {"result": "invalid", "error": "INVALID_PROFILE", "line": line}
    return found | {"result": "invalid", "error": "PROFILE_NOT_FOUND"}


def cases():
    return [
        profile("crlf", "lines", "[DEFAULT]\r\nuser=u\r\n\r\n; c\r\ntenancy=t\r\n", values={"user": "u", "tenancy": "t"}),
        profile("mixed-line-ends", "lines", "[DEFAULT]\r\nuser=u\ntenancy=t\r\n", values={"user": "u", "tenancy": "t"}),
        profile("no-final-newline", "lines", "[DEFAULT]\nuser=u", values={"user": "u"}),
        profile("bom", "lines", "\ufeff[DEFAULT]\nuser=u\n", values={"user": "u"}),
        profile("bom-crlf", "lines", "\ufeff[DEFAULT]\r\nuser=u\r\n", values={"user": "u"}),
        profile("bom-before-comment", "lines", "\ufeff# c\n[DEFAULT]\nuser=u\n", values={"user": "u"}),
        profile("blank-lines", "lines", "\n\n[DEFAULT]\n\n  \n\t\nuser=u\n\n", values={"user": "u"}),
        profile("indented-key", "lines", "[DEFAULT]\nuser=u\n    tenancy=t\n\tregion=r\n", values={"user": "u", "tenancy": "t", "region": "r"}),
        profile("indented-comments", "lines", "[DEFAULT]\n  # c\n\t; d\nuser=u\n", values={"user": "u"}),
        profile("comment-without-separator", "lines", "[DEFAULT]\n#\n;\n# no separator here\nuser=u\n", values={"user": "u"}),
        profile("empty-section", "lines", "[DEFAULT]\n", values={}),
        profile("windows-path", "values", "[DEFAULT]\nkey_file=C:\\Users\\u\\.oci\\key.pem\n", values={"key_file": "C:\\Users\\u\\.oci\\key.pem"}),
        profile("windows-path-colon-separator", "values", "[DEFAULT]\nkey_file: C:\\Users\\u\\key.pem\n", values={"key_file": "C:\\Users\\u\\key.pem"}),
        profile("colon-then-equals", "values", "[DEFAULT]\npass_phrase:a=b\n", values={"pass_phrase": "a=b"}),
        profile("equals-then-colon", "values", "[DEFAULT]\nfingerprint=e2:be:6e\n", values={"fingerprint": "e2:be:6e"}),
        profile("trailing-hash", "values", "[DEFAULT]\nuser=u # x\n", values={"user": "u # x"}),
        profile("trailing-hash-no-blank", "values", "[DEFAULT]\nuser=u#x\n", values={"user": "u#x"}),
        profile("quotes-kept", "values", "[DEFAULT]\nuser=\"u\"\ntenancy='t'\n", values={"user": '"u"', "tenancy": "'t'"}),
        profile("inner-blanks-kept", "values", "[DEFAULT]\npass_phrase=a  b\tc\n", values={"pass_phrase": "a  b\tc"}),
        profile("empty-value", "values", "[DEFAULT]\nuser=\ntenancy =  \nregion:\n", values={"user": "", "tenancy": "", "region": ""}),
        profile("value-starts-with-separator", "values", "[DEFAULT]\npass_phrase==x\nuser=:y\n", values={"pass_phrase": "=x", "user": ":y"}),
        profile("value-starts-with-comment-mark", "values", "[DEFAULT]\npass_phrase=#x\nuser=;y\n", values={"pass_phrase": "#x", "user": ";y"}),
        profile("value-with-bracket", "values", "[DEFAULT]\nuser=[x]\n", values={"user": "[x]"}),
        profile("no-interpolation", "values", "[DEFAULT]\nuser=u\npass_phrase=%(user)s ${user} $user %\n", values={"user": "u", "pass_phrase": "%(user)s ${user} $user %"}),
        profile("backslashes-kept", "values", "[DEFAULT]\npass_phrase=a\\nb\\\n", values={"pass_phrase": "a\\nb\\"}),
        profile("unknown-keys-kept", "values", "[DEFAULT]\nuser=u\nmy-own.key=1\n", values={"user": "u", "my-own.key": "1"}),
        profile("key-with-blank", "values", "[DEFAULT]\nmy key = 1\n", values={"my key": "1"}),
        profile("keys-lower-cased", "values", "[DEFAULT]\nUser=u\nKEY_FILE=k\n", values={"user": "u", "key_file": "k"}),
        profile("non-ascii-profile", "values", "[\u00fc\u65e5]\nuser=u\n", name="\u00fc\u65e5", values={"user": "u"}),
        profile("inherits", "sections", "[DEFAULT]\nuser=u\nregion=r\n[P]\nregion=s\n[Q]\nregion=t\n", name="P", values={"user": "u", "region": "s"}),
        profile("inherits-other-case", "sections", "[DEFAULT]\nREGION=r\n[P]\nRegion=s\n", name="P", values={"region": "s"}),
        profile("inherits-from-below", "sections", "[P]\nregion=s\n[DEFAULT]\nuser=u\nregion=r\n", name="P", values={"user": "u", "region": "s"}),
        profile("inherits-all", "sections", "[DEFAULT]\nuser=u\n[P]\n", name="P", values={"user": "u"}),
        profile("no-inheritance-from-default-in-lower-case", "sections", "[default]\nuser=u\n[P]\nregion=r\n", name="P", values={"region": "r"}),
        profile("default-alone", "sections", "[P]\nregion=s\n[DEFAULT]\nuser=u\n", values={"user": "u"}),
        profile("profile-with-blank-inside", "sections", "[my profile]\nuser=u\n", name="my profile", values={"user": "u"}),
        profile("profile-case-matters", "sections", "[P]\nuser=u\n[p]\nuser=v\n", name="p", values={"user": "v"}),
        profile("same-key-in-two-sections", "sections", "[P]\nuser=u\n[Q]\nuser=v\n", name="Q", values={"user": "v"}),
        profile("empty-file", "not-found", "", name="DEFAULT"),
        profile("only-comments", "not-found", "# c\n\n; d\n"),
        profile("only-bom", "not-found", "\ufeff"),
        profile("default-missing", "not-found", "[P]\nuser=u\n"),
        profile("profile-other-case", "not-found", "[PROD]\nuser=u\n", name="prod"),
        profile("key-before-section", "invalid", "# c\n\nuser=u\n[DEFAULT]\n", line=3),
        profile("no-separator-elsewhere", "invalid", "[DEFAULT]\nuser=u\n[Q]\njunk\n", line=4),
        profile("no-separator-crlf", "invalid", "[DEFAULT]\r\nuser=u\r\njunk\r\n", line=3),
        profile("no-separator-but-not-found", "invalid", "[DEFAULT]\njunk\n", name="NOPE", line=2),
        profile("duplicate-key-elsewhere", "invalid", "[DEFAULT]\nuser=u\n[Q]\na=1\nA=2\n", line=5),
        profile("duplicate-key-empty", "invalid", "[DEFAULT]\nuser=\nuser=\n", line=3),
        profile("duplicate-section-blanks", "invalid", "[P]\na=1\n[ P ]\nb=2\n", name="P", line=3),
        profile("duplicate-default", "invalid", "[DEFAULT]\na=1\n[P]\n[DEFAULT]\nb=2\n", line=4),
        profile("section-unclosed", "invalid", "[DEFAULT\nuser=u\n", line=1),
        profile("section-unclosed-elsewhere", "invalid", "[DEFAULT]\nuser=u\n[P\n", line=3),
        profile("section-empty", "invalid", "[DEFAULT]\n[]\nuser=u\n", line=2),
        profile("section-blank", "invalid", "[  ]\nuser=u\n", line=1),
        profile("key-empty", "invalid", "[DEFAULT]\nuser=u\n=v\n", line=3),
        profile("key-empty-colon", "invalid", "[DEFAULT]\n: v\n", line=2),
        profile("key-blank", "invalid", "[DEFAULT]\n  = v\n", line=2),
        profile("not-a-config", "invalid", "-----BEGIN RSA PRIVATE KEY-----\n", line=1),
        profile("json", "invalid", '{"user": "u"}\n', line=1),
        profile("binary", "invalid", "\u0000\u0001\u0002\n", line=1),
        profile("bom-in-the-middle", "invalid", "[DEFAULT]\nuser=u\n\ufeff[P]\n", line=3),
    ]
