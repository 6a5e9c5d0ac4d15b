import type { Kysely } from 'kysely';
import type { EventLog } from '../port.js';
import { eventOf } from './rows.js';
import type { Tables } from './tables.js';

export function createSqliteEventLog(db: Kysely<Tables>): EventLog {
  return {
    after: async (analyst, seq, limit) => {
      const rows = await db.selectFrom('events').selectAll().where('analyst', '=', analyst).where('seq', '>', seq).orderBy('seq').limit(limit).execute();
      return rows.map(eventOf);
    },
    last: async () => {
      const { last } = await db
        .selectFrom('events')
        .select(eb => eb.fn.coalesce(eb.fn.max('seq'), eb.lit(0)).as('last'))
        .executeTakeFirstOrThrow();
      return last;
    },
    prune: async before => {
      await db.deleteFrom('events').where('time', '<', before.getTime()).execute();
    }
  };
}
