/** With PUBLIC_SANDBOX=off every text that a reader or an agent is given says that the public pair is switched off. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { openTestApp, type TestApp } from '../testing/app.ts';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { publicUrl } from './fixture.ts';

const pair = /sandbox_demo/;
const says = /public (sandbox )?pair is switched off on this server/;

for (const setting of ['off', 'on'] as const)
  describe(`with PUBLIC_SANDBOX=${setting}`, () => {
    const isOff = setting === 'off';
    let database: TestDatabase;
    let opened: TestApp;
    before(async () => {
      database = await openTestDatabase('pglite');
      opened = await openTestApp(database, { env: { PUBLIC_SANDBOX: setting, PUBLIC_URL: publicUrl } });
    });
    after(async () => {
      await opened?.close();
      await database.close();
    });
    const get = async (url: string): Promise<string> =>
      (await opened.app.frontDoor.inject({ method: 'GET', url })).body;

    test(`every page that names the pair ${isOff ? 'begins with that' : 'leaves it at that'}`, async () => {
      const list = await get('/llms.txt');
      const paths = [...list.matchAll(/\((?:https?:\/\/[^/)]*)(\/docs[^)]*)\.md\)/g)].map(([, path = '']) => path);
      const written = paths.filter((path) => !/^\/docs\/(api|errors|events)\//.test(path));
      let naming = 0;
      for (const path of written) {
        const [markdown, html] = [await get(`${path}.md`), await get(path)];
        const begins = markdown.split('\n').slice(0, 6).join('\n');
        assert.equal(says.test(begins), isOff && pair.test(markdown), path);
        assert.equal(says.test(html), isOff && pair.test(markdown), path);
        if (pair.test(markdown)) naming += 1;
      }
      assert.ok(naming >= 6, `${naming} of ${written.length}`);
      assert.equal(says.test(await get('/llms-full.txt')), isOff);
    });

    test('the reference and the workflows use the pair only where it is accepted', async () => {
      assert.equal(pair.test(await get('/reference')), !isOff);
      const flows = await get('/arazzo.yaml');
      assert.equal(pair.test(flows), !isOff);
      for (const { inputs } of parse(flows).workflows)
        for (const name of Object.keys(inputs.properties))
          assert.equal(inputs.required.includes(name), !('default' in inputs.properties[name]), name);
    });

    test('every skill that names the pair says so', async () => {
      const { skills } = JSON.parse(await get('/.well-known/skills/index.json'));
      let naming = 0;
      for (const { name, files } of skills as { name: string; files: string[] }[])
        for (const file of files.filter((one) => one.endsWith('.md'))) {
          const text = await get(`/.well-known/skills/${name}/${file}`);
          assert.equal(says.test(text), isOff && pair.test(text), `${name}/${file}`);
          if (pair.test(text)) naming += 1;
        }
      assert.ok(naming >= 2);
    });
  });
