export { LEDGER_START, verifyLedger, type LedgerPoint } from '../ledger/verify-ledger.js';
export { csvColumns, type Column } from './csv-columns.js';
export { createOwner, openOwner, type Owner } from './owner.js';
export { pinBroker, pinnedBroker, type BrokerPlace, type PinnedBroker } from './pin-broker.js';
export { listPolicies, ownerClient, publishAsset, publishPolicy, type OwnerDeps } from './publish.js';
export { readLedger } from './read-ledger.js';
export { assetRecords, sealAsset, sealedAsset, type SealAssetOptions, type SealedAsset } from './seal-asset.js';
export { PolicyInput, policyRecords, signPolicy, stopPolicy, type SignPolicyOptions } from './sign-policy.js';
