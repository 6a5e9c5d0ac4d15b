// What the analyst of the demo trusts: trust.json and appraisal.json. The demo writes its own part; what she put beside it
// stays. An entry in a form that this version does not read is left out: the files as they were are kept beside.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const IMAGE_SOURCE = 'the runner image built in this checkout';
/** What a runner is told at launch on one machine: no secret, and no code. */
const VARIABLES = ['CLOISTER_SERVER', 'CLOISTER_JOB', 'CLOISTER_ATTEMPT', 'CLOISTER_GATEWAY', 'CLOISTER_PYTHON'];

const filesOf = home => ({ trust: join(home, 'agent/trust.json'), appraisal: join(home, 'agent/appraisal.json') });

/** Whether both files are there and in today's form. @param protocol the module `@cloister/protocol` */
export function isReadable({ home, protocol }) {
  const { trust, appraisal } = filesOf(home);
  return protocol.Trust.safeParse(readJson(trust)).success && protocol.AppraisalPolicy.safeParse(readJson(appraisal)).success;
}

/**
 * @param demo `{ owners: [{ name, owner }], simulator, image }`
 * @param say told in words what could not be kept
 */
export function writeAnalystTrust({ home, protocol, demo, say }) {
  mkdirSync(join(home, 'agent'), { recursive: true, mode: 0o700 });
  const { trust, appraisal } = filesOf(home);
  const before = readJson(trust);
  const next = renewTrust(before, demo, protocol);
  const replaced = imagesOf(before).filter(({ source }) => source === IMAGE_SOURCE).map(({ image }) => image);
  renew(trust, protocol.Trust, { next, leftOut: leftOutOf(before, next, demo), say });
  renew(appraisal, protocol.AppraisalPolicy, { next: renewAppraisal(readJson(appraisal), { ...demo, replaced }, protocol), leftOut: [], say });
}

/** Writes a file; one of another form than today's is kept beside it, and named. */
function renew(file, schema, { next, leftOut, say }) {
  const foreign = existsSync(file) && !schema.safeParse(readJson(file)).success;
  if (foreign) renameSync(file, `${file}.old`);
  writePrivate(file, schema.parse(next));
  const name = basename(file);
  const lost = leftOut.length === 0 ? '' : `, without ${leftOut.join(', ')}, which can be added again`;
  if (foreign) say(`${name} was in an older form and is written anew${lost}. The old one is ${name}.old beside it.`);
}

/** The demo's entries, and of the user's own those that this version reads. */
function renewTrust(before, { owners, simulator, image }, { PinnedOwner, PinnedVerifier, ReferenceValue }) {
  const demoOwners = owners.map(({ name, owner }) => ({ thumbprint: owner, name }));
  const isDemoOwner = ({ name, thumbprint }) => demoOwners.some(owner => owner.name === name || owner.thumbprint === thumbprint);
  const readable = (entries, schema) => listOf(entries).filter(entry => schema.safeParse(entry).success);
  return {
    v: 1,
    owners: [...demoOwners, ...readable(before?.owners, PinnedOwner).filter(pinned => !isDemoOwner(pinned))],
    verifiers: [simulator, ...readable(before?.verifiers, PinnedVerifier).filter(({ issuer }) => issuer !== simulator.issuer)],
    images: [{ image, source: IMAGE_SOURCE }, ...readable(before?.images, ReferenceValue).filter(value => value.source !== IMAGE_SOURCE && value.image !== image)]
  };
}

/** Names of what the user had pinned and is not in the new file. */
function leftOutOf(before, next, { simulator }) {
  const kept = new Set([...next.owners.map(({ name }) => name), ...next.verifiers.map(({ issuer }) => issuer), ...next.images.map(({ image }) => image)]);
  const had = [...listOf(before?.owners).map(entry => entry?.name), ...listOf(before?.verifiers).map(entry => entry?.issuer), ...imagesOf(before).filter(({ source }) => source !== IMAGE_SOURCE).map(({ image }) => image)];
  return had.filter(name => name !== simulator.issuer && !kept.has(name)).map(name => (typeof name === 'string' ? name : 'an entry without a name'));
}

/** The user's own demands, with what the demo needs among what she accepts; of a file in another form, the demo's alone. */
function renewAppraisal(before, { simulator, image, replaced }, { AppraisalPolicy, createAppraisal }) {
  const demo = createAppraisal({ verifiers: [simulator.issuer], images: [image], hardware: ['SIMULATED'], attributes: 'any', tcb: 'any', projects: ['local'], envOverrides: VARIABLES });
  const { success, data: own } = AppraisalPolicy.safeParse(before);
  if (!success) return demo;
  const both = (ours, theirs) => (theirs === 'any' || ours === 'any' ? theirs : [...new Set([...ours, ...theirs])]);
  return {
    ...own,
    verifiers: both(demo.verifiers, own.verifiers),
    images: both(demo.images, own.images.filter(value => !replaced.includes(value))),
    hardware: both(demo.hardware, own.hardware),
    projects: both(demo.projects, own.projects),
    envOverrides: both(demo.envOverrides, own.envOverrides)
  };
}

const listOf = value => (Array.isArray(value) ? value : []);
const imagesOf = trust => listOf(trust?.images).filter(value => typeof value === 'object' && value !== null);

/** @param value what JSON can hold */
export function writePrivate(file, value) {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** What a file holds; undefined where there is none, or no JSON. */
export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
