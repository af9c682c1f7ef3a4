/** The `guest` command: what scenarios do with guests, for shell scripts. */
import { Guest } from './guest.js';
import { messages } from './run.js';

const [action, name, ...rest] = process.argv.slice(2);

async function main(): Promise<number> {
  if (name === undefined) throw new Error('usage: guest start NAME [XL-CONFIG-LINE...] | run NAME COMMAND | stop NAME');
  switch (action) {
    case 'start':
      await Guest.start(name, { lines: rest });
      return 0;
    case 'run': {
      const guest = await Guest.find(name);
      const { status, output } = await guest.ask(rest.join(' '), Number(process.env.GUEST_TIMEOUT ?? 120));
      if (output !== '') console.log(output);
      return status;
    }
    case 'stop':
      await (await Guest.find(name)).destroy();
      return 0;
    default:
      throw new Error(`no such action: ${action}`);
  }
}

try {
  process.exit(await main());
} catch (error) {
  console.error(`guest: ${messages(error)}`);
  process.exit(125);
}
