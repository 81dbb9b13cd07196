/** Addresses that machines try by convention: the API catalog (RFC 9727) and security.txt (RFC 9116). */
import type { Page } from '../http/index.ts';
import { openAnswer } from './answers.ts';
import { areas } from './areas.ts';
import type { SitePorts } from './ports.ts';

const catalogPath = '/.well-known/api-catalog';
const catalogType = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"';
const dayMs = 86_400_000;
const validDays = 180;

export function wellKnownPages({ publicUrl, clock, securityContact }: SitePorts): Page[] {
  return [
    {
      path: catalogPath,
      answer() {
        const base = publicUrl();
        const link = `<${base}${catalogPath}>; rel="api-catalog"`;
        return openAnswer(catalogType, JSON.stringify(catalogOf(base), null, 2), { Link: link });
      },
    },
    {
      path: '/.well-known/security.txt',
      answer: () => (securityContact === undefined ? null : openAnswer('text/plain', securityText(securityContact))),
    },
  ];

  /** Valid for half a year from today; the day alone counts, so that the text stays the same over the day. */
  function securityText(contact: string): string {
    const expires = new Date(Math.floor(clock.now() / dayMs + validDays) * dayMs).toISOString();
    return `Contact: ${contact}\nExpires: ${expires}\nPreferred-Languages: en\nCanonical: ${publicUrl()}/.well-known/security.txt\n`;
  }
}

const catalogOf = (base: string): object => ({
  linkset: [
    {
      anchor: `${base}${catalogPath}`,
      item: [{ href: `${base}/docs/api`, title: 'OTP platform' }],
    },
    {
      anchor: `${base}/v1`,
      'service-desc': [
        { href: `${base}/openapi.json`, type: 'application/json' },
        { href: `${base}/openapi.yaml`, type: 'application/yaml' },
        ...Object.entries(areas).map(([name, { title }]) => ({
          href: `${base}/openapi/${name}.json`,
          type: 'application/json',
          title,
        })),
      ],
      'service-meta': [{ href: `${base}/arazzo.yaml`, type: 'application/yaml', title: 'Workflows (Arazzo 1.0)' }],
      'service-doc': [
        { href: `${base}/docs/api`, type: 'text/html' },
        { href: `${base}/docs/api.md`, type: 'text/markdown' },
        { href: `${base}/llms.txt`, type: 'text/plain' },
      ],
      status: [{ href: `${base}/readyz`, type: 'application/json' }],
    },
  ],
});
