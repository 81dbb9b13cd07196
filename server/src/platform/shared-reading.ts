/** Reading that many ask for at once: those that ask while one is under way share the next, which begins after they asked. */
export interface SharedReading {
  /** Resolves when everything is read as it was at the call, or later. */
  read(): Promise<void>;
  /** Reads no more; ends after the reading under way. */
  close(): Promise<void>;
}

export function createSharedReading(readOnce: () => Promise<void>): SharedReading {
  let reading: Promise<void> | undefined;
  let again = false;
  let closed = false;

  async function readUntilQuiet(): Promise<void> {
    try {
      do {
        again = false;
        await readOnce();
      } while (again && !closed);
    } finally {
      // In the same turn as the last look at `again`, or somebody could ask in between and not be heard.
      reading = undefined;
    }
  }

  return {
    read() {
      if (reading !== undefined) again = true;
      else reading = readUntilQuiet();
      return reading;
    },
    async close() {
      closed = true;
      await reading?.catch(() => undefined);
    },
  };
}
