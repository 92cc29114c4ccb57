//! What ends a call ends that call alone.

use ocisign_host_test::{component, engine};
use wasmtime::{Engine, Store, StoreLimits, StoreLimitsBuilder};

use crate::host::{ENTROPY, Host, SESSION_KEY, emulator, environment, is_accepted};
use crate::instance;

#[test]
fn without_fuel_a_call_ends_and_the_next_instance_works() {
    let emulator = emulator();
    let environment = environment(&emulator, None, &mut Host::new());
    let engine = engine(|config| {
        config.consume_fuel(true);
    })
    .unwrap();
    let component = component(&engine, "ocisign-federation.wasm").unwrap();
    let begin = |fuel| {
        let mut store = Store::new(&engine, ());
        store.set_fuel(u64::MAX).unwrap();
        let mut host = Host::of(store, &component);
        host.store.set_fuel(fuel).unwrap();
        let begun = host.call(|guest, store| {
            guest.call_instance_principal(store, &environment, Some(SESSION_KEY), ENTROPY)
        });
        begun.map(|exchange| (exchange.unwrap(), host))
    };
    assert!(begin(100_000).is_err());
    let (exchange, mut host) = begin(u64::MAX).unwrap();
    // It ends in the middle of an exchange, too.
    host.store.set_fuel(10).unwrap();
    assert!(host.next_step(exchange).is_err());
    let (exchange, mut host) = begin(u64::MAX).unwrap();
    let key = host.run(exchange, &emulator).unwrap();
    assert!(is_accepted(&emulator, &key));
}

#[test]
fn without_memory_a_call_ends_and_the_next_instance_works() {
    let emulator = emulator();
    let mut environment = environment(&emulator, None, &mut Host::new());
    let component = component(&Engine::default(), "ocisign-federation.wasm").unwrap();
    let mut small: Store<StoreLimits> =
        Store::new(component.engine(), StoreLimitsBuilder::new().memory_size(2 << 20).build());
    small.limiter(|limits| limits);
    let linker = wasmtime::component::Linker::new(component.engine());
    let world =
        ocisign_host_test::federation::Federation::instantiate(&mut small, &component, &linker)
            .unwrap();
    environment.regions_config = Some(" ".repeat(8 << 20));
    let exchanges = world.ocisign_signing_exchanges().exchange();
    let begun =
        exchanges.call_instance_principal(&mut small, &environment, Some(SESSION_KEY), ENTROPY);
    assert!(begun.is_err());

    let mut host = Host::new();
    let exchange = instance(&mut host, &environment);
    assert!(host.run(exchange, &emulator).is_ok());
}

#[test]
fn a_hundred_exchanges_do_not_grow_the_memory() {
    let component = component(&Engine::default(), "ocisign-federation.wasm").unwrap();
    let mut store: Store<StoreLimits> =
        Store::new(component.engine(), StoreLimitsBuilder::new().build());
    store.limiter(|limits| limits);
    let linker = wasmtime::component::Linker::new(component.engine());
    let world =
        ocisign_host_test::federation::Federation::instantiate(&mut store, &component, &linker)
            .unwrap();
    let emulator = emulator();
    let environment = environment(&emulator, None, &mut Host::new());
    for round in 0..100 {
        let exchanges = world.ocisign_signing_exchanges().exchange();
        let exchange = exchanges
            .call_instance_principal(&mut store, &environment, Some(SESSION_KEY), ENTROPY)
            .unwrap()
            .unwrap();
        exchanges.call_next_step(&mut store, exchange, 0).unwrap().unwrap();
        exchange.resource_drop(&mut store).unwrap();
        if round == 10 {
            *store.data_mut() = StoreLimitsBuilder::new().memory_size(0).build();
        }
    }
}
