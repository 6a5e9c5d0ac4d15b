import type { Migration } from '@cloister/kit';

/** Numbered by their place, never edited once released. STRICT tables refuse values of another type. */
export const MIGRATIONS: readonly Migration[] = [
  {
    name: 'first',
    sql: `
      create table facts (name text primary key, value text not null) strict, without rowid;
      create table descriptors (asset text primary key, name text not null, version integer not null, jws text not null, unique (name, version)) strict;
      create table policies (name text not null, version integer not null, policy text not null, jws text not null, primary key (name, version)) strict;
      create table approvals (approval text primary key, subject text not null, jws text not null, voided integer not null) strict;
      create index approvals_by_subject on approvals (subject);
      create table challenges (
        challenge text primary key,
        job text not null,
        attempt integer not null,
        analyst text not null,
        manifest text not null,
        created_at text not null,
        expires_at text not null
      ) strict;
      create index challenges_by_analyst on challenges (analyst);
      create table uses (name text not null, rule text not null, job text not null, expires_at text, primary key (name, rule, job)) strict, without rowid;
      create table attempts (
        name text not null,
        rule text not null,
        job text not null,
        attempt integer not null,
        primary key (name, rule, job, attempt)
      ) strict, without rowid;
      create table bindings (
        job text not null,
        attempt integer not null,
        recipient text not null unique,
        key text not null unique,
        primary key (job, attempt)
      ) strict;
      create table replies (session text primary key, sealed text not null) strict;
      create table ledger (seq integer primary key, digest text not null unique, entry text not null) strict;
      create table rollbacks (name text primary key, version integer not null) strict, without rowid;
      create table proofs (jti text primary key, expires_at text not null) strict, without rowid;
    `
  },
  {
    name: 'witnesses',
    sql: `
      create table terms (session text not null, asset text not null, policy text not null, rule text not null, primary key (session, asset)) strict, without rowid;
      create index policies_by_digest on policies (policy);
      create table witnesses (statement text primary key, job text not null, attempt integer not null, jws text) strict;
      create unique index witness_of_attempt on witnesses (job, attempt) where jws is not null;
      create index statements_of_attempt on witnesses (job, attempt);
    `
  }
];
