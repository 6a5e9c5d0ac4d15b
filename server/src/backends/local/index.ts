export { LAUNCHER_ENTRY, LocalBackend, type LocalBackendOptions } from './local-backend.js';
export { readSimulatorKeys, readSimulatorTrust, toPinnedVerifier, type SimulatorJwk, type SimulatorKeys, type SimulatorTrust } from './keys.js';
export { createTokenService, GrpcError, STS_AUDIENCE, type TokenService } from './token-service.js';
export { type AttestedInstance } from './claims.js';
export { type TokenOptions } from './token-options.js';
export { measureImage, readImage, type Image, type ImageLabels } from './measure.js';
