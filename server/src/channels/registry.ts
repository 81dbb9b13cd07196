/** The adapters of this program as an explicit list, made by app.ts. A provider names its adapter by id. */
import type { Adapter, Channel } from './contract.ts';

export interface Registry {
  find(id: string): Adapter | null;
  list(): readonly Adapter[];
  /** Adapters that serve the channel. */
  forChannel(channel: Channel): readonly Adapter[];
}

/** Throws on two adapters with one id and on an adapter without a channel: faults of the program. */
export function createRegistry(adapters: readonly Adapter[]): Registry {
  const byId = new Map<string, Adapter>();
  for (const adapter of adapters) {
    if (byId.has(adapter.id)) throw new Error(`two adapters are called ${adapter.id}`);
    if (adapter.channels.length === 0) throw new Error(`the adapter ${adapter.id} serves no channel`);
    byId.set(adapter.id, adapter);
  }
  return {
    find: (id) => byId.get(id) ?? null,
    list: () => adapters,
    forChannel: (channel) => adapters.filter((adapter) => adapter.channels.includes(channel)),
  };
}
