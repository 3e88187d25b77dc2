//! Bare RS256 signing, on every core.

use std::{thread, time::Duration};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};

use super::Bare;
use crate::{meter::count, process::Process, watch};

/// About as long as the signed part of an access token.
const SIGNED: [u8; 400] = [0x61; 400];

pub(crate) fn measure(span: Duration) -> anyhow::Result<Bare> {
    let key = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let ours = Process(std::process::id());
    let (began, before) = (watch::now(), ours.usage()?);
    let signed: u64 = thread::scope(|scope| {
        let signers: Vec<_> = (0..cores)
            .map(|_| scope.spawn(|| sign_for(&key, span)))
            .collect();
        let signed = signers.into_iter().map(|signer| signer.join().unwrap_or(0));
        signed.sum()
    });
    let used = ours.usage()? - before;
    Ok(Bare {
        per_second: count(signed) / began.elapsed().as_secs_f64(),
        cpu_us: used.cpu.as_secs_f64() * 1e6 / count(signed).max(1.0),
    })
}

#[expect(clippy::disallowed_methods, reason = "a signer asks for randomness")]
fn sign_for(key: &RsaKeyPair, span: Duration) -> u64 {
    let random = SystemRandom::new();
    let mut signature = vec![0; key.public_modulus_len()];
    let began = watch::now();
    let mut signed = 0;
    while began.elapsed() < span {
        if key
            .sign(&RSA_PKCS1_SHA256, &random, &SIGNED, &mut signature)
            .is_ok()
        {
            signed += 1;
        }
    }
    signed
}
