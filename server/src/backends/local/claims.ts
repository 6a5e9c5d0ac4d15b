import { digestOfJson, SIMULATOR_ISSUER, type Digest } from '@cloister/protocol';

/** What the simulated launcher measured and knows of the one workload it runs. */
export interface AttestedInstance {
  readonly name: string;
  readonly imageDigest: Digest;
  /** Digest of the image's labels alone, as an image id is of its configuration alone. */
  readonly imageId: Digest;
  readonly args: readonly string[];
  /** The container's environment; `envOverride` is the part that the launch request set. */
  readonly env: Readonly<Record<string, string>>;
  readonly envOverride: Readonly<Record<string, string>>;
}

export interface TokenSubject {
  readonly audience: string;
  readonly nonces: readonly string[];
  readonly now: Date;
}

const LIFETIME_SECONDS = 3600;
/** Google's Private Enterprise Number. */
const OEM_ID = 11129;
/** The launcher image whose replies are reproduced here. */
const LAUNCHER_VERSION = '260800';

/**
 * Claims in the shape of a production Confidential Space token. What tells them apart from one: issuer, `hwmodel`
 * and `eat_profile`, each of which no hardware token carries.
 */
export function claimsOf(instance: AttestedInstance, { audience, nonces, now }: TokenSubject): Record<string, unknown> {
  const issuedAt = Math.floor(now.getTime() / 1000);
  return {
    aud: audience,
    iss: SIMULATOR_ISSUER,
    sub: `${SIMULATOR_ISSUER}/projects/local/zones/local/instances/${instance.name}`,
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + LIFETIME_SECONDS,
    ...nonceClaim(nonces),
    eat_profile: 'urn:cloister:simulated',
    secboot: true,
    oemid: OEM_ID,
    hwmodel: 'SIMULATED',
    swname: 'CONFIDENTIAL_SPACE',
    swversion: [LAUNCHER_VERSION],
    dbgstat: 'disabled-since-boot',
    google_service_accounts: [],
    submods: {
      confidential_space: { monitoring_enabled: { memory: false }, support_attributes: ['LATEST', 'STABLE', 'USABLE'] },
      container: containerClaims(instance),
      gce: { zone: 'local', project_id: 'local', project_number: '0', instance_name: instance.name, instance_id: instanceId(instance.name) }
    }
  };
}

/** One nonce is a string, several are an array, none is no claim at all. */
function nonceClaim(nonces: readonly string[]): { eat_nonce?: string | readonly string[] } {
  const [first] = nonces;
  if (first === undefined) return {};
  return { eat_nonce: nonces.length === 1 ? first : nonces };
}

function containerClaims(instance: AttestedInstance): Record<string, unknown> {
  return {
    image_reference: `localhost/cloister/runner@${instance.imageDigest}`,
    image_digest: instance.imageDigest,
    image_id: instance.imageId,
    restart_policy: 'Never',
    args: instance.args,
    env: instance.env,
    ...(Object.keys(instance.envOverride).length === 0 ? {} : { env_override: instance.envOverride })
  };
}

/** A number of 19 digits in text, as Compute Engine's; equal for equal names. */
function instanceId(name: string): string {
  const id = BigInt(`0x${digestOfJson(name).slice('sha256:'.length, 'sha256:'.length + 16)}`);
  return (10n ** 18n + (id % (8n * 10n ** 18n))).toString();
}
