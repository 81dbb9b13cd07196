/** The address a request comes from, as allowlists and quotas read it. */
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';

/**
 * The framework walks X-Forwarded-For through the proxies that are believed. A proxy may have added a port; what is no address
 * at all is passed over for that of the connection.
 */
export function clientAddress(request: FastifyRequest): string {
  return plainAddress(request.ip) ?? plainAddress(request.socket.remoteAddress) ?? '';
}

export function plainAddress(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const bare = text.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
  if (isIP(bare) !== 0) return bare;
  const [, v6, v4] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(bare) ?? [];
  const inner = v6 ?? v4;
  return inner !== undefined && isIP(inner) !== 0 ? inner : undefined;
}
