import { destination as fileDestination, pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import { redacted, redactedText } from './redaction.js';

export type { Logger } from 'pino';
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerOptions {
  /** Name of the service, in every line. */
  readonly service: string;
  readonly level: LogLevel;
  /** A file (0600, appended to), one of the standard streams, or any stream of text. */
  readonly destination: 'stdout' | 'stderr' | { readonly file: string } | DestinationStream;
}

/**
 * JSON lines without secrets: fields are censored by name, and whatever looks like a key or a token is taken out of
 * the finished line, also where a library wrote it into a message.
 */
export function createLogger({ service, level, destination }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      // `log` has made errors plain objects already; pino's own serializer would copy every member of them.
      serializers: { err: (value: unknown) => redacted(value) },
      formatters: {
        level: label => ({ level: label }),
        log: fields => redactedFields(fields)
      },
      hooks: { streamWrite: redactedText }
    },
    streamOf(destination)
  );
}

function redactedFields(fields: Record<string, unknown>): Record<string, unknown> {
  const clean = redacted(fields);
  return typeof clean === 'object' && clean !== null ? { ...clean } : {};
}

function streamOf(destination: LoggerOptions['destination']): DestinationStream {
  // Synchronous: what was logged before a crash is what explains it.
  if (destination === 'stdout') return fileDestination({ dest: 1, sync: true });
  if (destination === 'stderr') return fileDestination({ dest: 2, sync: true });
  if ('file' in destination) return fileDestination({ dest: destination.file, sync: true, mkdir: true, mode: 0o600 });
  return destination;
}
