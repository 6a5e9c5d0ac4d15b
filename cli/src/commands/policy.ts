import type { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { AppError, POLICY, parseJson, verifyObject, type Policy, type Verified } from '@cloister/protocol';
import { listPolicies, openOwner, publishPolicy, signPolicy, stopPolicy } from '@cloister/broker/owner';
import type { CliContext } from '../context.js';
import { formatTable } from '../terminal/table.js';
import { describeRule } from '../views/submission.js';
import type { AddCommand } from './command.js';

interface PolicyFlags {
  readonly owner?: string;
  readonly publish?: boolean;
  readonly json?: true;
}

export const addPolicy: AddCommand = (program, open) => {
  const policy = program.command('policy').description('For owners: who and what may open your assets.');
  const owner = ['--owner <dir>', 'your owner directory (default: owner/ in the state directory)'] as const;
  policy
    .command('sign')
    .description('Sign a policy and put it in force at your broker.')
    .argument('<file>', 'JSON: { "asset": NAME, "allow": [RULE] }; every member of a rule is required')
    .option(...owner)
    .option('--no-publish', 'sign only')
    .option('--json', 'one JSON object on stdout')
    .action(async (file: string, flags: PolicyFlags, command: Command) => sign(open(command), file, flags));
  policy
    .command('stop')
    .description('From this moment nothing of the asset is released. What was released cannot be called back.')
    .argument('<name>', 'the asset')
    .option(...owner)
    .option('--json', 'one JSON object on stdout')
    .action(async (name: string, flags: PolicyFlags, command: Command) => stop(open(command), name, flags));
  policy
    .command('show')
    .description('The policies in force at your broker, with the uses so far.')
    .argument('[name]', 'only this asset')
    .option(...owner)
    .option('--json', 'one JSON object on stdout')
    .action(async (name: string | undefined, flags: PolicyFlags, command: Command) => show(open(command), name, flags));
};

async function sign(context: CliContext, file: string, flags: PolicyFlags): Promise<void> {
  const policy = await signPolicy({ ownerDir: context.ownerDir(flags.owner), policyInput: await readInput(file) });
  if (flags.publish !== false) await publish(context, policy, flags);
  tell(context, policy, flags);
}

async function stop(context: CliContext, name: string, flags: PolicyFlags): Promise<void> {
  const policy = await stopPolicy({ ownerDir: context.ownerDir(flags.owner), name });
  await publish(context, policy, flags);
  tell(context, policy, flags);
}

async function publish({ ownerDir, transport, clock }: CliContext, policy: Verified<Policy>, { owner }: PolicyFlags): Promise<void> {
  await publishPolicy({ ownerDir: ownerDir(owner), transport, clock }, policy);
}

function tell(context: CliContext, { payload, digest }: Verified<Policy>, { json, publish: published }: PolicyFlags): void {
  const inForce = published !== false;
  if (json === true) context.printJson({ policy: digest, asset: payload.asset.name, version: payload.version, rules: payload.allow.length, inForce });
  else if (payload.allow.length === 0) context.print(context.style.caution(`${payload.asset.name}: version ${payload.version} allows nobody${inForce ? '; nothing is released from now on' : ''}.`));
  else context.print(`${payload.asset.name}: version ${payload.version} ${inForce ? 'is in force' : 'is signed'}.\n${payload.allow.map(rule => `  ${rule.id}: ${describeRule(rule)}`).join('\n')}`);
}

async function show(context: CliContext, name: string | undefined, flags: PolicyFlags): Promise<void> {
  const { transport, clock } = context;
  const ownerDir = context.ownerDir(flags.owner);
  const owner = await openOwner(ownerDir);
  const all = await Promise.all(
    (await listPolicies({ ownerDir, transport, clock })).map(async ({ policy, uses }) => ({ policy: await verifyObject(POLICY, policy, owner.signer.thumbprint), uses }))
  );
  const chosen = all.filter(({ policy }) => name === undefined || policy.payload.asset.name === name);
  if (name !== undefined && chosen.length === 0) throw new AppError('policy_missing', `there is no policy for ${name}`);
  if (flags.json === true) {
    context.printJson({ policies: chosen.map(({ policy, uses }) => ({ digest: policy.digest, ...policy.payload, uses })) });
    return;
  }
  for (const { policy, uses } of chosen) {
    const { payload } = policy;
    context.print(`${context.style.strong(payload.asset.name)}  version ${payload.version}  ${context.style.faint(policy.digest)}`);
    const rows = payload.allow.map(rule => [rule.id, describeRule(rule), `used by ${uses.find(use => use.rule === rule.id)?.jobs ?? 0} so far`]);
    context.print(rows.length === 0 ? context.style.caution('  allows nobody') : formatTable(rows, { indent: 2 }));
  }
  if (chosen.length === 0) context.print('No policy is in force: nobody may open anything.');
}

async function readInput(file: string): Promise<unknown> {
  const text = await readFile(file).catch((cause: unknown) => {
    throw new AppError('usage', `${file} cannot be read`, { cause });
  });
  return parseJson(text);
}
