// Folders are trust domains (ARCHITECTURE.md). Each entry names what a domain may import besides itself;
// everything else is an error, by package name as well as by path.
const MAY_IMPORT = {
  protocol: [],
  sealing: ['protocol'],
  kit: ['protocol', 'sealing'],
  runner: ['protocol', 'sealing'],
  server: ['protocol', 'sealing', 'kit'],
  broker: ['protocol', 'sealing', 'kit'],
  agent: ['protocol', 'sealing', 'kit'],
  'report-page': ['protocol'],
  cli: ['protocol', 'sealing', 'kit', 'agent', 'broker/(src|lib)/owner', 'report-page'],
  embedded: ['protocol', 'sealing', 'kit', 'server', 'broker'],
  extension: ['protocol']
};
const DOMAINS = Object.keys(MAY_IMPORT);
// Tests, and what only tests import.
const TESTS = '[.]test[.]tsx?$|^protocol/mutation/|/testing/|/src/(vectors|mutants)/|/(contract|testing)[.]ts$';

const boundaries = Object.entries(MAY_IMPORT).map(([domain, allowed]) => ({
  name: `${domain}-stays-in-its-trust-domain`,
  severity: 'error',
  comment: `${domain} may import ${allowed.join(', ') || 'no other domain'}`,
  from: { path: `^${domain}/` },
  to: {
    path: [`^(${DOMAINS.join('|')})/`, '^@cloister/'],
    pathNot: [domain, ...allowed].flatMap(name => [
      `^${name}/`,
      `^@cloister/${name.replace('/(src|lib)/', '/')}(/|$)`
    ])
  }
}));

module.exports = {
  forbidden: [
    ...boundaries,
    {
      name: 'protocol-is-portable',
      severity: 'error',
      comment: 'protocol also runs in the browser: no Node built-ins',
      from: { path: '^protocol/src/', pathNot: '[.]test[.]ts$' },
      to: { dependencyTypes: ['core'] }
    },
    {
      name: 'runner-has-fewest-dependencies',
      severity: 'error',
      from: { path: '^runner/src/' },
      to: { path: 'node_modules/(express|pino|kysely|better-sqlite3|commander)(/|$)' }
    },
    { name: 'nothing-imports-tests', severity: 'error', from: { pathNot: TESTS }, to: { path: TESTS } },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'declared-dependencies',
      severity: 'error',
      // Build scripts, which some tests run, use the checkout's own tools.
      from: { pathNot: `${TESTS}|^scripts/` },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'], dependencyTypesNot: ['type-only'] }
    }
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Ours alone: most packages lie in a lib/ or dist/ too, and what is excluded breaks no rule.
    exclude: { path: `^(${DOMAINS.join('|')})/(lib|image)/` },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    tsConfig: { fileName: 'tsconfig.tests.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@cloister/source', 'import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types']
    }
  }
};
