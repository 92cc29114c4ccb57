"""What a call costs in wasmtime-py: `python host-test/hosts/python/timing.py`."""

from time import perf_counter

from wasmtime.component import Variant

import vectors
from host import CompiledComponent, Instance, KeyForTheGuest, KeyOfTheHost, request, rsa_sign

NOW = 1_704_110_645
KEY_ID = "tenancy/user/fingerprint"
URL = "https://iaas.us-phoenix-1.oraclecloud.com/20160918/instances"
CONSTANT = "AAAA" * 85 + "AA=="


def main():
    key = vectors.private_key("test-key.pem")
    core, component = CompiledComponent("ocisign-core.wasm"), CompiledComponent("ocisign.wasm")
    host = KeyOfTheHost(KEY_ID, key)
    provided = Instance(component, host)
    halves = Instance(core)
    guest_key = KeyForTheGuest(KEY_ID, vectors.pem("test-key.pem"))
    guest = Instance(component, guest_key)
    wide = Instance(CompiledComponent("ocisign-wide.wasm"), guest_key)
    get = request("GET", URL)
    post = request("POST", URL, body=Variant("text", "x" * 1024))
    octets = request("POST", URL, body=Variant("bytes", b"x" * 1024))
    text = "x" * 200

    def rsa(signing_string):
        return rsa_sign(key, signing_string)

    def in_halves(given, sign):
        return lambda: halves.sign_outside(given, KEY_ID, None, NOW, sign)

    report("RSA alone, by cryptography", lambda: rsa(text))
    report("halves, GET, RSA left out", in_halves(get, lambda _: CONSTANT))
    report("halves, POST of 1 KiB of text, RSA left out", in_halves(post, lambda _: CONSTANT))
    report("halves, POST of 1 KiB as list<u8>, RSA left out", in_halves(octets, lambda _: CONSTANT))
    report("halves, GET, signed by cryptography", in_halves(get, rsa))
    report("provider, GET, signed by cryptography", lambda: provided.sign(get, NOW))
    host.sign = lambda _key_id, _text: CONSTANT
    report("provider, GET, RSA left out", lambda: provided.sign(get, NOW))
    report("provider, GET, key in the guest", lambda: guest.sign(get, NOW))
    report("provider, GET, key in the guest of the wide build", lambda: wide.sign(get, NOW))
    report("a new instance of ocisign-core.wasm", lambda: Instance(core))
    report("a new instance of ocisign.wasm", lambda: Instance(component, host))
    report("compile ocisign-core.wasm", lambda: CompiledComponent("ocisign-core.wasm"), 1)
    report("compile ocisign.wasm", lambda: CompiledComponent("ocisign.wasm"), 1)


def report(what, call, calls=20):
    """The mean of a slice of calls, in the best of thirty slices, as others use the machine too."""
    call()
    best = min(slice_of(call, calls) for _ in range(30))
    print(f"{what:50} {best * 1e6:10.1f} µs")


def slice_of(call, calls):
    start = perf_counter()
    for _ in range(calls):
        call()
    return (perf_counter() - start) / calls


if __name__ == "__main__":
    main()
