/** The product with codes that the load knows; everything else is what `npm start` runs. Prints `ready ADDRESS`. */
import { openApp } from '../server/src/app.ts';
import { readConfig } from '../server/src/config.ts';
import { code } from './product.ts';

const app = await openApp(readConfig(process.env), { drawCode: () => code });
process.once('SIGTERM', () => {
  void app.stop().then(() => process.exit(0));
});
process.stdout.write(`ready ${await app.start()}\n`);
