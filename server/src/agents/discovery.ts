/**
 * How a client that knows only the address finds /mcp: the server card and the catalog that leads to it. Both formats are drafts, so they stand
 * here alone. They list no tools: which there are depends on the credential.
 */
import { isIP } from 'node:net';
import type { Page } from '../http/index.ts';
import { packageVersion } from '../http/openapi.ts';

const schema = 'https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json';
const cardType = 'application/mcp-server-card+json';
const cardPath = '/mcp/server-card';
const supportedProtocolVersions = ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26'];
/** Public documents, for pages of anybody. */
const open = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'ETag' };

export const makeDiscoveryPages = (publicUrl: () => string): Page[] => [
  { path: cardPath, answer: () => page(cardType, cardOf(publicUrl())) },
  { path: '/.well-known/ai-catalog.json', answer: () => page('application/ai-catalog+json', catalogOf(publicUrl())) },
];

const page = (mediaType: string, content: object) => ({
  status: 200,
  mediaType,
  body: JSON.stringify(content),
  headers: open,
});

/** Of the installation, whose operator owns the name: its host read from the end. */
function namespaceOf(publicUrl: string): string {
  const { hostname } = new URL(publicUrl);
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? hostname.split('.').reverse().join('.') : 'local.installation';
}

function cardOf(publicUrl: string): object {
  const headers = [
    {
      name: 'Authorization',
      description: 'Bearer dev_key:dev_secret of an API key; one of kind agent to send live.',
      isRequired: true,
      isSecret: true,
    },
  ];
  const remote = (path: string, needs?: object[]) => ({
    type: 'streamable-http',
    url: `${publicUrl}${path}`,
    ...(needs && { headers: needs }),
    supportedProtocolVersions,
  });
  return {
    $schema: schema,
    name: `${namespaceOf(publicUrl)}/engagelab-otp`,
    version: packageVersion,
    title: 'OTP platform',
    description: 'Send one-time codes, check them, and find out why one did not arrive.',
    websiteUrl: `${publicUrl}/docs`,
    remotes: [remote('/mcp', headers), remote('/mcp/readonly', headers), remote('/mcp/docs')],
  };
}

function catalogOf(publicUrl: string): object {
  const { host } = new URL(publicUrl);
  return {
    specVersion: '1.0',
    host: { displayName: 'OTP platform', identifier: host },
    entries: [
      {
        identifier: `urn:air:${host}:mcp:engagelab-otp`,
        displayName: 'OTP platform over MCP',
        description: 'Send one-time codes, check them, and find out why one did not arrive.',
        type: cardType,
        url: `${publicUrl}${cardPath}`,
      },
      {
        identifier: `urn:air:${host}:api:openapi`,
        displayName: 'OTP platform REST API',
        description: 'The same by HTTP.',
        type: 'application/vnd.oai.openapi+json',
        url: `${publicUrl}/openapi.json`,
      },
    ],
  };
}
