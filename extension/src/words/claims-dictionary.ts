import type { TranslationBundle } from '@jupyterlab/translation';

/**
 * What each member of a Confidential Space token means, in one sentence, by its path. After Google's “Attestation token
 * claims”; header members after RFC 7515.
 */
export function createClaimsDictionary(trans: TranslationBundle): ReadonlyMap<string, string> {
  return new Map([...headerWords(trans), ...tokenWords(trans), ...machineWords(trans), ...containerWords(trans), ...placeWords(trans)]);
}

type Entries = readonly (readonly [string, string])[];

function headerWords(trans: TranslationBundle): Entries {
  return [
    ['alg', trans.__('How the token is signed: by RS256; by PS384 too where the verifier is Intel’s. Nothing else is accepted.')],
    ['kid', trans.__('Which of the verifier’s keys signed it.')],
    ['typ', trans.__('The kind of token; JWT for all of these.')],
    ['jku', trans.__('Where the verifier says that its keys are. It is not asked: only keys that you pinned count.')],
    ['x5c', trans.__('Certificates from the signing key up to the verifier’s root, which must be one that you pinned. Google’s tokens alone may have them, and a simulator’s.')]
  ];
}

function tokenWords(trans: TranslationBundle): Entries {
  return [
    ['iss', trans.__('The verifier that examined the machine and issued this token.')],
    ['aud', trans.__('Whom the token is for. A report’s token is for reports alone.')],
    ['sub', trans.__('The machine that the token is about.')],
    ['iat', trans.__('When it was issued, in seconds since 1970.')],
    ['nbf', trans.__('From when it counts, in seconds since 1970.')],
    ['exp', trans.__('Until when it may be used to ask for keys, in seconds since 1970. A report remains checkable afterwards.')],
    ['eat_nonce', trans.__('What the machine asked to have signed: here the fingerprint of this report’s statement.')],
    ['jti', trans.__('The number of this token.')],
    ['ver', trans.__('The version of the token’s form.')],
    ['eat_profile', trans.__('The document that defines these claims.')]
  ];
}

function machineWords(trans: TranslationBundle): Entries {
  return [
    ['hwmodel', trans.__('The hardware that protects the machine’s memory: AMD SEV or Intel TDX, which Intel writes INTEL_TDX. SIMULATED is no hardware at all.')],
    ['secboot', trans.__('Whether the machine booted only signed software.')],
    ['dbgstat', trans.__('Whether somebody could log in: “disabled-since-boot” means nobody could.')],
    ['oemid', trans.__('The maker of the platform; 11129 is Google.')],
    ['swname', trans.__('The operating system: CONFIDENTIAL_SPACE where it was validated, GCE where it was not, or no longer.')],
    ['swversion', trans.__('The version of the operating system image, as year and month and a number.')],
    ['attester_tcb', trans.__('Who vouches for the platform’s firmware: INTEL on Intel TDX, and nobody on other hardware.')],
    ['tdx', trans.__('How current the platform’s firmware is, and its date.')],
    ['tdx.gcp_attester_tcb_status', trans.__('How current the platform’s firmware is, as Google appraised it. UpToDate is the best; Revoked is refused always.')],
    ['tdx.gcp_attester_tcb_date', trans.__('The date of the platform’s firmware, as Google appraised it.')],
    ['tdx.attester_tcb_status', trans.__('How current the platform’s firmware is, as Intel Trust Authority appraised it. UpToDate is the best; Revoked is refused always.')],
    ['tdx.attester_tcb_date', trans.__('The date of the platform’s firmware, as Intel Trust Authority appraised it.')],
    ['submods.confidential_space.support_attributes', trans.__('How well supported the operating system image is: LATEST, STABLE, USABLE. Debug images have none.')],
    ['submods.confidential_space.monitoring_enabled.memory', trans.__('Whether the operator sees how much memory is used.')],
    ['submods.nvidia_gpu.cc_mode', trans.__('Whether the GPU protects its memory: ON does, DEVTOOLS does not.')],
    ['submods.nvidia_gpu.cc_feature', trans.__('How the GPU is protected.')],
    ['submods.nvidia_gpu.gpus', trans.__('The GPUs: each with its model, driver and firmware.')]
  ];
}

function containerWords(trans: TranslationBundle): Entries {
  return [
    ['submods.container.image_digest', trans.__('The fingerprint of the program that ran. It must be one that you accept.')],
    ['submods.container.image_reference', trans.__('The name under which the operator fetched the program. Names prove nothing.')],
    ['submods.container.image_id', trans.__('The fingerprint of the program’s configuration.')],
    ['submods.container.restart_policy', trans.__('Whether the program starts again when it ends. “Never” is demanded.')],
    ['submods.container.args', trans.__('The command that started the program.')],
    ['submods.container.cmd_override', trans.__('A command that the operator put in place of the program’s own. None is accepted.')],
    ['submods.container.env_override', trans.__('Variables that the operator set.')],
    ['submods.container.image_signatures', trans.__('Signatures on the program that the verifier found and checked, each with the fingerprint of its key.')]
  ];
}

function placeWords(trans: TranslationBundle): Entries {
  return [
    ['submods.gce.project_id', trans.__('The cloud project that the machine ran in.')],
    ['submods.gce.project_number', trans.__('The number of that cloud project.')],
    ['submods.gce.zone', trans.__('Where the machine ran.')],
    ['submods.gce.instance_name', trans.__('The name of the machine. Receipts for keys must name the same one.')],
    ['submods.gce.instance_id', trans.__('The number of the machine.')],
    ['google_service_accounts', trans.__('Cloud accounts that the machine could act as. They open no data here.')]
  ];
}

/** Claims under these paths have names that whoever made the program chose. */
const FAMILIES = ['submods.container.env', 'submods.container.env_override', 'submods.container.cmd_override'] as const;

/** What a claim means; undefined where the dictionary does not know it. */
export function explainClaim(path: string, dictionary: ReadonlyMap<string, string>, trans: TranslationBundle): string | undefined {
  const known = dictionary.get(path);
  if (known !== undefined) return known;
  const family = FAMILIES.find(name => path.startsWith(`${name}.`));
  if (family === undefined) return undefined;
  return family === 'submods.container.env' ? trans.__('A variable that the program could see.') : dictionary.get(family);
}
