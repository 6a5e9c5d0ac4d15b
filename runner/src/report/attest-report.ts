import { AppError, REPORT_AUDIENCE, labelledHash, toBase64, type Report } from '@cloister/protocol';
import type { OwnToken, TokenSource } from '../attestation/token-source.js';
import { statementBytes, type FinishedRun } from './statement.js';

/**
 * The report: the statement, a token of this container over its hash, and what is needed to check it with one's own trust.
 * @throws AppError attestation_rejected | unavailable
 */
export async function attestReport(run: FinishedRun, tokens: TokenSource, signal: AbortSignal): Promise<Report> {
  const statement = statementBytes(run);
  const { order, access } = run;
  const own = await reportToken(tokens, labelledHash('cloister/report/v1', statement), signal);
  if (own.image !== access.image || own.instance !== access.session.instance) {
    throw new AppError('attestation_rejected', 'the launcher attests another container than at the release');
  }
  return {
    v: 1,
    statement: toBase64(statement),
    tokens: [own.token],
    session: access.session.text,
    manifest: order.manifestJws,
    descriptors: order.inputs.map(({ jws }) => jws),
    receipts: access.releases.map(({ receipt }) => receipt),
    witnesses: []
  };
}

/** PKI, since its chain verifies for decades where key sets are gone; OIDC only from a launcher that refuses PKI. */
async function reportToken(tokens: TokenSource, nonce: string, signal: AbortSignal): Promise<OwnToken> {
  const wanted = { audience: REPORT_AUDIENCE, nonce, signal };
  try {
    return await tokens({ ...wanted, type: 'PKI' });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'attestation_rejected') throw error;
    return tokens({ ...wanted, type: 'OIDC' });
  }
}
