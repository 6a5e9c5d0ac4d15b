/*
 * Tokens in the shape of Confidential Space, signed by a TEST KEY that is made here and forgotten: this stands in for the
 * workload and for its verifier, so that the examples run anywhere. Such a token proves nothing to anybody else.
 */
import { GOOGLE_ISSUER, INTEL_ISSUER } from '@cloister/protocol/attestation';

const SIGNING = {
  google: { alg: 'RS256', issuer: GOOGLE_ISSUER, seconds: 3600, key: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } },
  intel: { alg: 'PS384', issuer: INTEL_ISSUER, seconds: 300, key: { name: 'RSA-PSS', hash: 'SHA-384', saltLength: 48 } }
};

/**
 * @param {{ audience: string, nonce: string, image: string, project: string, verifier?: 'google' | 'intel' }} asked
 * @returns {Promise<{ token: string, jwks: string }>} the token, and the key set that its verifier would publish
 */
export async function mintTestToken({ verifier = 'google', ...asked }) {
  const { alg, issuer, seconds, key } = SIGNING[verifier];
  const make = { ...key, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const { publicKey, privateKey } = await crypto.subtle.generateKey(make, true, ['sign', 'verify']);
  const { n, e } = await crypto.subtle.exportKey('jwk', publicKey);
  const jwks = JSON.stringify({ keys: [{ kty: 'RSA', kid: 'a test key', alg, use: 'sig', n, e }] });
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, iat, nbf: iat, exp: iat + seconds, ...claimsOf(verifier, asked) };
  const signed = `${encode(JSON.stringify({ alg, kid: 'a test key', typ: 'JWT' }))}.${encode(JSON.stringify(claims))}`;
  const signature = await crypto.subtle.sign(key, privateKey, new TextEncoder().encode(signed));
  return { token: `${signed}.${encode(String.fromCharCode(...new Uint8Array(signature)))}`, jwks };
}

/**
 * @param {'google' | 'intel'} verifier
 * @param {{ audience: string, nonce: string, image: string, project: string }} asked
 */
function claimsOf(verifier, { audience, nonce, image, project }) {
  const tcb = verifier === 'google' ? { gcp_attester_tcb_status: 'UpToDate' } : { attester_tcb_status: 'UpToDate' };
  return {
    aud: audience,
    eat_nonce: nonce,
    secboot: true,
    dbgstat: 'disabled-since-boot',
    hwmodel: verifier === 'google' ? 'GCP_INTEL_TDX' : 'INTEL_TDX',
    swname: 'CONFIDENTIAL_SPACE',
    swversion: ['260800'],
    attester_tcb: ['INTEL'],
    tdx: tcb,
    google_service_accounts: [],
    submods: {
      confidential_space: { monitoring_enabled: { memory: false }, support_attributes: ['LATEST', 'STABLE', 'USABLE'] },
      container: { image_digest: image, image_reference: `registry.example/program@${image}`, restart_policy: 'Never', args: ['/program'], env: {} },
      gce: { project_id: project, zone: 'europe-west4-b', instance_name: 'test-1' }
    }
  };
}

/** @param {string} text of code units below 256 */
const encode = text => btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
