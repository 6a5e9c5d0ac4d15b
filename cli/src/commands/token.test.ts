import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GOOGLE_ISSUER, INTEL_ISSUER, SIMULATOR_ISSUER, createAppraisal, digestOf, fromBase64, toUtf8, type AppraisalPolicy, type PinnedVerifier, type Trust } from '@cloister/protocol';
import { createTestVerifier, type MintOptions, type TestVerifier } from '@cloister/protocol/testing';
import { buildCli, type BuiltCli, type CliRun } from '../testing/build-cli.js';
import { createReportDesk, type ReportDesk } from '../testing/report-desk.js';

const AUDIENCE = 'https://broker.example/jobs';
const NONCE = 'a-nonce-that-was-asked-for-0001';
const IMAGE = digestOf(toUtf8('a program'));
const ASKED = ['--audience', AUDIENCE, '--nonce', NONCE] as const;
const GOOGLES = ['--issuer', GOOGLE_ISSUER] as const;

let cli: BuiltCli;
let desk: ReportDesk;
let google: TestVerifier;
let intel: TestVerifier;
let simulator: TestVerifier;
beforeAll(async () => {
  [cli, desk, google, intel, simulator] = await Promise.all([buildCli(), createReportDesk(), createTestVerifier({ kind: 'google' }), createTestVerifier({ kind: 'intel' }), createTestVerifier()]);
}, 60_000);
afterAll(async () => Promise.all([cli.remove(), desk.remove()]));

const run = async (args: readonly string[], input?: string): Promise<CliRun> =>
  cli.run(['--home', join(desk.folder, 'no-home'), 'token', ...args], { cwd: desk.folder, ...(input === undefined ? {} : { input }) });
const minted = async (verifier: TestVerifier, change: Partial<MintOptions> = {}): Promise<string> =>
  verifier.mint({ audience: AUDIENCE, nonces: [NONCE], image: IMAGE, instance: 'job-1', issuedAt: new Date(Date.now() - 30_000), ...change });
const token = async (verifier: TestVerifier, change?: Partial<MintOptions>): Promise<string> => desk.put(`token-${Math.random()}`, await minted(verifier, change));
const jwks = async ({ pinned }: TestVerifier): Promise<string> => desk.put(`jwks-${pinned.kind}.json`, { keys: pinned.jwks[0]?.keys });
const expecting = async (issuer: string, change: Partial<AppraisalPolicy> = {}): Promise<string> =>
  desk.put(`expect-${Math.random()}.json`, createAppraisal({ verifiers: [issuer], images: [IMAGE], projects: 'any', ...change }));

describe('verify', () => {
  test('Google’s OIDC token by its published key set: 0, by file and by pipe; nothing is written', async () => {
    const args = ['verify', '-', ...ASKED, '--jwks', await jwks(google), '--expect', await expecting(GOOGLE_ISSUER)];
    const text = await minted(google);
    const piped = await run(args, text);
    expect([piped.code, piped.stderr]).toEqual([0, '']);
    expect(piped.stdout).toMatch(/^VERIFIED\n/);
    expect(piped.stdout).toContain('Pinned for this run: key test-key (RS256)');
    const [, , ...options] = args;
    expect((await run(['verify', await desk.put('line.jwt', `${text}\n`), ...options])).code).toBe(0);
    expect((await run(['verify', ...options], text)).code).toBe(0);
    expect(readdirSync(desk.folder)).not.toContain('no-home');
  });

  test('Google’s PKI token by a root, whose fingerprint it tells, in DER and in PEM', async () => {
    const der = fromBase64(google.chain.x5c[2]);
    const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64').replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
    const rest = [...ASKED, '--expect', await expecting(GOOGLE_ISSUER)];
    const file = await token(google, { kind: 'pki' });
    for (const root of [await desk.put('root.der', der), await desk.put('root.pem', pem)]) {
      const { code, stdout } = await run(['verify', file, '--root', root, ...rest]);
      expect([code, stdout.replace(/\s+/g, ' ').includes(`root ${google.chain.root}`)]).toEqual([0, true]);
    }
    const other = await desk.put('other.der', fromBase64(simulator.chain.x5c[2]));
    expect((await run(['verify', file, '--root', other, ...rest])).code).toBe(1);
  });

  test.each(['RS256', 'PS384'] as const)('Intel’s token by %s: its two keys share an id, and the algorithm decides', async algorithm => {
    const { code, stdout } = await run(['verify', await token(intel, { algorithm }), ...ASKED, '--jwks', await jwks(intel), '--expect', await expecting(INTEL_ISSUER)]);
    expect([code, stdout.includes('PS384')]).toEqual([0, true]);
  });

  test('a simulator’s is 3, whatever is demanded, and never called verified', async () => {
    const { code, stdout } = await run(['verify', await token(simulator), ...ASKED, '--jwks', await jwks(simulator), '--expect', await expecting(SIMULATOR_ISSUER)]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^SIMULATED ONLY/);
    expect(stdout).toMatch(/simulated +hardware/);
  });

  test('by a trust file', async () => {
    const pinned: PinnedVerifier = { ...google.pinned, jwks: google.pinned.jwks.map(set => ({ ...set, seen: new Date().toISOString() })) };
    const trust: Trust = { v: 1, owners: [], verifiers: [pinned], images: [] };
    expect((await run(['verify', await token(google), ...ASKED, '--trust', await desk.put('t.json', trust), '--expect', await expecting(GOOGLE_ISSUER)])).code).toBe(0);
  });

  const WRONG: readonly (readonly [string, string, Partial<MintOptions>, readonly string[]])[] = [
    ['another audience', 'audience', {}, ['--audience', 'urn:other', '--nonce', NONCE]],
    ['an audience list with ours in it', 'audience', { claims: { aud: [AUDIENCE, 'urn:other'] } }, ASKED],
    ['another nonce', 'nonce', {}, ['--audience', AUDIENCE, '--nonce', 'another']],
    ['another program', 'image', { image: digestOf(toUtf8('another program')) }, ASKED],
    ['a debug image', 'debug', { claims: { dbgstat: 'enabled' } }, ASKED],
    ['a variable that nobody allows', 'env_override', { envOverride: { LD_PRELOAD: 'x' } }, ASKED],
    ['a token from before the challenge', 'issued', {}, [...ASKED, '--challenged-at', '2049-01-01T00:00:00Z', '--now', '2049-01-01T00:01:00Z']],
    ['an old token where keys depend on it', 'freshness', { issuedAt: new Date(Date.now() - 1_000_000) }, [...ASKED, '--challenged-at', '2026-01-01T00:00:00Z']]
  ];
  test.each(WRONG)('%s is 1, and the check %s says so', async (_, check, change, asked) => {
    const { code, stdout } = await run(['verify', await token(google, change), ...asked, '--jwks', await jwks(google), '--expect', await expecting(GOOGLE_ISSUER)]);
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`FAIL +${check} `));
  });

  test('a forged signature and another verifier’s keys are 1', async () => {
    const rest = [...ASKED, '--expect', await expecting(GOOGLE_ISSUER)];
    const text = await minted(google);
    const [header = '', payload = ''] = text.split('.');
    const forged = await desk.put('forged', `${header}.${payload}.${(await minted(google, { nonces: ['x'.repeat(20)] })).split('.')[2] ?? ''}`);
    expect((await run(['verify', forged, '--jwks', await jwks(google), ...rest])).code).toBe(1);
    expect((await run(['verify', await token(google), '--jwks', await jwks(simulator), ...rest])).code).toBe(1);
  });

  test('keys are pinned under the issuer that is demanded, not under the one that the token names', async () => {
    const { code, stdout } = await run(['verify', await token(intel), ...ASKED, '--jwks', await jwks(intel), '--expect', await expecting(GOOGLE_ISSUER)]);
    expect([code, /FAIL +issuer /.test(stdout)]).toEqual([1, true]);
  });

  test('a simulator’s keys do not vouch for a token that calls itself Google’s: where the policy names both, somebody must say whose keys they are', async () => {
    const both = await desk.put('both.json', createAppraisal({ verifiers: [GOOGLE_ISSUER, SIMULATOR_ISSUER], images: [IMAGE], projects: 'any' }));
    // Whoever holds the simulator's key writes whatever Google would.
    const impostor = await createTestVerifier({ kind: 'google' });
    const forged = await token(impostor);
    const keys = await desk.put('jwks-of-the-simulator.json', { keys: impostor.pinned.jwks[0]?.keys });
    for (const [file, given] of [[forged, ['--jwks', keys]], [await token(google), ['--jwks', await jwks(google)]], [await token(google, { kind: 'pki' }), ['--root', await desk.put('g.der', fromBase64(google.chain.x5c[2]))]]] as const) {
      for (const demanded of [['--expect', both], []]) {
        const { code, stdout, stderr } = await run(['verify', file, ...ASKED, ...given, ...demanded]);
        expect([code, stdout, /--issuer/.test(stderr), /\(usage\)/.test(stderr)]).toEqual([2, '', true, true]);
      }
    }
    const said = await run(['verify', forged, ...ASKED, '--jwks', keys, '--expect', both, '--issuer', SIMULATOR_ISSUER]);
    expect([said.code, said.stdout.split(':')[0]]).toEqual([2, 'COULD NOT CHECK']);
    expect((await run(['verify', await token(google), ...ASKED, '--jwks', await jwks(google), '--expect', both, ...GOOGLES])).code).toBe(0);
  });

  test('a token that has expired is told in the past tense, with its time of issue; as of its own time it is in the present', async () => {
    const issuedAt = new Date('2026-03-01T12:00:00Z');
    const args = ['verify', await token(google, { issuedAt }), ...ASKED, '--jwks', await jwks(google), '--expect', await expecting(GOOGLE_ISSUER)];
    const at = async (...more: readonly string[]): Promise<CliRun> => run([...args, ...more]);
    const { code, stdout } = await at('--now', '2026-03-02T12:00:00Z');
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'WAS VERIFIED at its time of issue, 2026-03-01T12:00:00Z.']);
    expect(stdout.split('\n')[1]).toMatch(/^It has expired since, at 2026-03-01T13:00:00Z\.$/);
    expect(stdout).not.toMatch(/^ *VERIFIED|says that such a machine runs/m);
    expect(stdout.split('\n').filter(line => line.length > 80)).toEqual([]);
    expect(JSON.parse((await at('--now', '2026-03-01T13:00:00Z', '--json')).stdout)).toMatchObject({ verdict: 'verified', expired: true, exit: 0 });
    expect((await at('--now', '2026-03-01T12:59:59Z')).stdout).toMatch(/^VERIFIED\n/);
    expect(JSON.parse((await at('--now', '2026-03-01T12:59:59Z', '--json')).stdout)).toMatchObject({ verdict: 'verified', expired: false });
    expect((await at('--now', '2026-03-02T12:00:00Z', '--challenged-at', '2026-03-01T11:59:00Z')).code).toBe(1);
    const simulated = await run(['verify', await token(simulator, { issuedAt }), ...ASKED, '--jwks', await jwks(simulator), '--expect', await expecting(SIMULATOR_ISSUER)]);
    expect([simulated.code, /^SIMULATED ONLY/.test(simulated.stdout), /expired\s+since/.test(simulated.stdout)]).toEqual([3, true, true]);
  });

  const HOSTILE: readonly (readonly [string, Partial<MintOptions>, string])[] = [
    ['an issuer that is no URL', { claims: { iss: 'x y\u001b[2J' } }, 'issuer'],
    ['an issuer longer than any', { claims: { iss: `https://${'a'.repeat(5000)}` } }, 'issuer'],
    ['an issuer that is no text', { claims: { iss: ['x'] } }, 'issuer'],
    ['a command of one huge word', { paths: { 'submods.container.cmd_override': ['x'.repeat(1025)] } }, 'command']
  ];
  test.each(HOSTILE)('%s is a matter of checks where there is no policy, and no error of ours', async (_, change, check) => {
    const { code, stdout, stderr } = await run(['verify', await token(google, change), ...ASKED, '--jwks', await jwks(google), ...GOOGLES]);
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(new RegExp(`FAIL +${check} `));
  });

  test('what is left out is open, never taken from the token: 2, and it says what to give', async () => {
    const file = await token(google);
    const keys = await jwks(google);
    const policy = await expecting(GOOGLE_ISSUER);
    for (const [args, check, hint] of [
      [['--nonce', NONCE, '--jwks', keys, '--expect', policy], 'audience', '--audience TEXT'],
      [['--audience', AUDIENCE, '--jwks', keys, '--expect', policy], 'nonce', '--nonce TEXT'],
      [[...ASKED, '--jwks', keys, '--issuer', GOOGLE_ISSUER], 'policy', '--expect FILE'],
      [[...ASKED, '--jwks', keys, '--issuer', GOOGLE_ISSUER], 'image', '--expect FILE'],
      [[...ASKED, '--expect', policy], 'issuer', 'cloister trust add verifier google']
    ] as const) {
      const { code, stdout } = await run(['verify', file, ...args]);
      expect(code).toBe(2);
      expect(stdout).toMatch(new RegExp(`unknown +${check} `));
      expect(stdout).toContain(hint);
    }
  });

  test('without a policy, every check that a policy decides is open; what no policy may allow still fails', async () => {
    const keys = await jwks(google);
    const { stdout } = await run(['verify', await token(google, { claims: { dbgstat: 'enabled' } }), ...ASKED, '--jwks', keys, '--issuer', GOOGLE_ISSUER, '--json']);
    const { verdict, checks } = JSON.parse(stdout) as { verdict: string; checks: { id: string; status: string }[] }; // our own output, as the test wants it
    const ids = (status: string): string[] => checks.filter(check => check.status === status).map(check => check.id);
    expect([verdict, ids('fail')]).toEqual(['failed', ['debug']]);
    expect(ids('unknown').sort()).toEqual(['arguments', 'command', 'env_override', 'gpu', 'image', 'image_signatures', 'monitoring', 'policy', 'project', 'restart', 'service_accounts', 'support', 'tcb', 'variables', 'zone']);
    const revoked = await run(['verify', await token(google, { claims: { tdx: { gcp_attester_tcb_status: 'Revoked' } } }), ...ASKED, '--jwks', keys, '--issuer', GOOGLE_ISSUER]);
    expect([revoked.code, /FAIL +tcb/.test(revoked.stdout)]).toEqual([1, true]);
  });

  test('what is no token is 1', async () => {
    expect((await run(['verify', ...ASKED], 'hello')).code).toBe(1);
    expect((await run(['verify', ...ASKED, '--jwks', await jwks(google), '--expect', await expecting(GOOGLE_ISSUER)], '')).code).toBe(1);
  });

  test('bad use is 2, with a code; a token on the command line is refused and not repeated', async () => {
    const file = await token(google);
    const text = await minted(google);
    const CASES: readonly (readonly [readonly string[], string])[] = [
      [['nowhere'], 'usage'],
      [[text], 'usage'],
      [[file, '--now', 'now'], 'usage'],
      [[file, '--challenged-at', '2026-02-30T00:00:00Z'], 'usage'],
      [[file, '--jwks', await jwks(google)], 'usage'],
      [[file, '--jwks', 'nowhere', ...GOOGLES], 'usage'],
      [[file, '--jwks', file, ...GOOGLES], 'usage'],
      [[file, '--jwks', await desk.put('empty.json', { keys: [] }), ...GOOGLES], 'usage'],
      [[file, '--jwks', await desk.put('symmetric.json', { keys: [{ kty: 'oct', kid: 'a', k: 'AAAA' }] }), ...GOOGLES], 'usage'],
      [[file, '--root', file, ...GOOGLES], 'usage'],
      [[file, '--root', await desk.put('leaf.der', fromBase64(google.chain.x5c[0])), ...GOOGLES], 'usage'],
      [[file, '--jwks', await jwks(google), '--issuer', 'https://example.com'], 'usage'],
      [[file, '--expect', 'nowhere'], 'usage'],
      [[file, '--expect', await desk.put('typo.json', { images: [] })], 'config_invalid'],
      [[file, '--trust', 'nowhere'], 'trust_missing'],
      [[await desk.put('huge', 'a'.repeat(100_000))], 'payload_too_large'],
      [['/dev/zero'], 'payload_too_large']
    ];
    for (const [args, code] of CASES) {
      const result = await run(['verify', ...args]);
      expect([args.slice(1), result.code, result.stderr.includes(`(${code})`)]).toEqual([args.slice(1), 2, true]);
      expect(result.stderr).not.toContain(text.slice(0, 40));
    }
  });

  test('--json and --explain', async () => {
    const args = ['verify', await token(google), ...ASKED, '--jwks', await jwks(google), '--expect', await expecting(GOOGLE_ISSUER)];
    const json: unknown = JSON.parse((await run([...args, '--json'])).stdout);
    expect(json).toMatchObject({ schema: 'cloister.token.v1', verdict: 'verified', exit: 0, subject: { issuer: GOOGLE_ISSUER, audience: AUDIENCE, nonces: [NONCE], image: IMAGE } });
    const { stdout } = await run([...args, '--explain']);
    expect(stdout).toContain('Anybody can issue tokens.');
    expect(stdout.split('\n').filter(line => line.length > 80)).toEqual([]);
  });
});

describe('inspect', () => {
  test('shows what a token says, marked as unverified, with no verdict, also where it is forged', async () => {
    const [header = '', payload = ''] = (await minted(google)).split('.');
    const { code, stdout } = await run(['inspect'], `${header}.${payload}.AAAA`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^NOT VERIFIED\. Anybody can write a token that says this\./);
    for (const part of [GOOGLE_ISSUER, AUDIENCE, NONCE, IMAGE, 'GCP_INTEL_TDX', '"dbgstat": "disabled-since-boot"']) expect(stdout).toContain(part);
    expect(stdout).not.toMatch(/pass|FAIL|COULD NOT/);
  });

  test('certificates are counted, and whole with --json', async () => {
    const file = await token(google, { kind: 'pki' });
    expect((await run(['inspect', file])).stdout).toContain('"x5c": "3 certificates"');
    expect(JSON.parse((await run(['inspect', file, '--json'])).stdout)).toMatchObject({ schema: 'cloister.token-inspect.v1', verified: false, header: { x5c: google.chain.x5c } });
  });

  test('what is no token is 1, a file that cannot be read 2', async () => {
    for (const text of ['', 'hello', 'a.b', 'a.b.c', 'eyJhIjoxfQ.eyJhIjoxLCJhIjoyfQ.AAAA']) expect([text, (await run(['inspect', '-'], text)).code]).toEqual([text, 1]);
    expect((await run(['inspect', 'nowhere'])).code).toBe(2);
  });

  test('claims cannot steer the terminal', async () => {
    const { stdout } = await run(['inspect', await token(google, { claims: { sub: '\u001b[2J\u202e', dbgstat: '\u001b[2J\u202e' } })]);
    expect(stdout).not.toMatch(/[\u001b\u202e]/);
  });
});
