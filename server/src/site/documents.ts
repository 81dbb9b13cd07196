/** The API description for machines in its other forms, and the workflows over it: with the address of this instance in them. */
import { stringify } from 'yaml';
import type { Page } from '../http/index.ts';
import { openAnswer } from './answers.ts';
import { areas, cutDescription } from './areas.ts';
import type { Description } from './description.ts';
import { writeFlows } from './flows.ts';
import type { SitePorts } from './ports.ts';

/** RFC 9512. */
const yaml = 'application/yaml';

export function documentPages({ publicUrl, description, publicSandbox }: SitePorts): Page[] {
  const page = (path: string, mediaType: string, make: (whole: Description) => string): Page => {
    let made: { base: string; body: string } | undefined;
    return {
      path,
      answer() {
        const base = publicUrl();
        if (made?.base !== base) made = { base, body: make(description() as Description) };
        return openAnswer(mediaType, made.body);
      },
    };
  };
  return [
    page('/openapi.yaml', yaml, (whole) => stringify(whole, { aliasDuplicateObjects: false })),
    page('/arazzo.yaml', yaml, (whole) => writeFlows(`${publicUrl()}/openapi.json`, whole.info.version, publicSandbox)),
    ...Object.entries(areas).map(([name, area]) =>
      page(`/openapi/${name}.json`, 'application/json', (whole) => JSON.stringify(cutDescription(whole, area))),
    ),
  ];
}
