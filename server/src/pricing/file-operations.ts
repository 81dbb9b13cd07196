/** The price table as a file: out, and in again. */
import { z } from 'zod';
import { defineOperation, type Operation } from '../http/operation.ts';
import { writePrices } from './csv.ts';
import * as examples from './examples.ts';
import { importPrices } from './import.ts';
import type { Office } from './office.ts';
import { listAllPrices } from './store.ts';
import * as wire from './wire.ts';

const common = { tag: 'Operator: prices', auth: 'operator' } as const;

export const createFileOperations = (office: Office): Operation[] => [importOf(office), exportOf(office)];

const importOf = ({ db, memory, currency }: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'importPrices',
      method: 'POST',
      path: '/admin/v1/price-list',
      summary: 'Take in a price list as CSV, as a whole or not at all',
      description:
        'A list with anything wrong in it changes nothing: 3002 names each fault as `csv[line].column`, the first line being 1. Repeating an import changes nothing. What an export wrote is read back as it was.',
      input: { body: wire.importBody },
      maxBodyBytes: wire.maxCsvBytes,
      output: wire.importAnswer,
      errors: [],
      examples: [{ name: 'one price', body: { csv: examples.csv, mode: 'merge' }, output: examples.imported }],
    },
    async ({ body, ip }) => {
      const work = () => importPrices({ db, currency }, body, { ip });
      const { added, changed, unchanged, removed } = await (body.dry_run ? work() : memory.afterWrite(work));
      return {
        added: added.length,
        changed: changed.length,
        unchanged,
        removed: removed.length,
        applied: !body.dry_run,
      };
    },
  );

const exportOf = ({ db, currency }: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'exportPrices',
      method: 'GET',
      path: '/admin/v1/price-list',
      summary: 'Get the price table as CSV, past and future prices among them',
      description: 'A cell that a spreadsheet would take for a formula begins with an apostrophe.',
      input: {},
      output: z.string(),
      mediaType: 'text/csv',
      errors: [],
      examples: [{ name: 'one price', output: examples.csv }],
    },
    async () => writePrices(await listAllPrices(db), currency),
  );
