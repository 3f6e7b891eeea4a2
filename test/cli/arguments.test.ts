import t from 'tap';
import { commandTable, optionsOf } from '../../lib/cli/arguments/command-table.js';
import { commandHelp, mainHelp, usageOf } from '../../lib/cli/arguments/help-text.js';
import { parseArguments } from '../../lib/cli/arguments/parse-arguments.js';
import { makeStyle } from '../../lib/cli/terminal/style.js';

const parse = (...argv: string[]) => parseArguments(argv, commandTable);
const plain = makeStyle(false);

t.test('a command line is read with its options before and after the command', async (t) => {
  const args = parse('-v', '--app', 'images', 'run', 'Web', '-c', 'a=1', '--var=b=2', '--only', 'Docker,Qemu', '--only=R*', '-p', '3', '--', '--odd');
  t.equal(args.command?.name, 'run');
  t.same(args.positionals, ['Web', '--odd']);
  t.same(args.texts('var'), ['a=1', 'b=2']);
  t.same(args.texts('only'), ['Docker', 'Qemu', 'R*']);
  t.equal(args.count('parallel'), 3);
  t.equal(args.text('app'), 'images');
  t.ok(args.flag('verbose'));
  t.notOk(args.flag('force'));
});

t.test('of --color and --no-color the last one counts', async (t) => {
  t.equal(parse('ls').color, undefined);
  t.equal(parse('ls', '--color').color, true);
  t.equal(parse('ls', '--color', '--no-color').color, false);
});

t.test('what cannot be understood is refused, with what was probably meant', async (t) => {
  const cases: readonly (readonly [string[], { code: string; hint: RegExp }])[] = [
    [['rnu'], { code: 'UnknownCommand', hint: /did you mean "run"/ }],
    [['frobnicate'], { code: 'UnknownCommand', hint: /bake --help/ }],
    [['run', '--paralel', '3'], { code: 'UnknownOption', hint: /did you mean "--parallel"/ }],
    [['ls', '--on-error', 'ask'], { code: 'UnknownOption', hint: /option of "bake run"/ }],
    [['run', '-Z'], { code: 'UnknownOption', hint: /bake run --help/ }],
    [['run', '--on-error', 'clenup'], { code: 'InvalidOption', hint: /did you mean "cleanup"/ }],
    [['run', '--parallel', '0'], { code: 'InvalidOption', hint: /whole number/ }],
    [['run', '--parallel', 'many'], { code: 'InvalidOption', hint: /whole number/ }],
    [['run', '--parallel'], { code: 'InvalidOption', hint: /--parallel <n>/ }],
    [['run', '--app', '--force'], { code: 'InvalidOption', hint: /--app=--force/ }],
    [['run', '--force=yes'], { code: 'InvalidOption', hint: /write --force alone/ }],
    [['run', '-a', 'x', '-a', 'y'], { code: 'InvalidOption', hint: /once/ }],
    [['clean', 'r1', 'r2'], { code: 'UnexpectedArgument', hint: /bake clean --help/ }],
    [['completion'], { code: 'MissingArgument', hint: /bash, zsh, fish/ }],
    [['completion', 'bsh'], { code: 'UnexpectedArgument', hint: /did you mean "bash"/ }],
  ];
  for (const [argv, error] of cases) t.throws(() => parse(...argv), error, argv.join(' '));
});

t.test('help is given even where arguments are missing', async (t) => {
  t.ok(parse('completion', '--help').flag('help'));
});

t.test('an option means the same in every command that has it', async (t) => {
  const seen = new Map<string, string>();
  for (const command of commandTable) {
    const shorts = new Set<string>();
    for (const { name, short, value } of optionsOf(command)) {
      const meaning = `${short ?? ''} ${value ?? 'flag'}`;
      t.equal(seen.get(name) ?? meaning, meaning, `${command.name} --${name}`);
      seen.set(name, meaning);
      if (short === undefined) continue;
      t.notOk(shorts.has(short), `${command.name} -${short} is taken once`);
      shorts.add(short);
    }
  }
});

t.test('every command says what it does, has examples that can be parsed, and can be loaded', async (t) => {
  for (const command of commandTable) {
    t.ok(command.examples.length > 0, `${command.name} has examples`);
    for (const { command: line } of command.examples) {
      if (!line.startsWith('bake ')) continue;
      const words = line.replace(/ >.*/, '').split(' ').slice(1).map((word) => word.replaceAll("'", ''));
      t.equal(parse(...words).command?.name, command.name, line);
    }
    t.type(await command.load(), 'function', command.name);
  }
});

t.test('help fits an 80 column terminal', async (t) => {
  for (const text of [mainHelp(commandTable, '1.2.3', plain, 80), ...commandTable.map((command) => commandHelp(command, plain, 80))]) {
    const long = text.split('\n').filter((line) => line.length > 80);
    t.same(long, []);
    t.match(text, /Usage {2}bake/);
    t.match(text, /Examples/);
  }
});

t.test('the usage line shows what must be given', async (t) => {
  const usage = (name: string) => usageOf(commandTable.find((command) => command.name === name)!);
  t.equal(usage('run'), 'bake run [selectors…] [options]');
  t.equal(usage('completion'), 'bake completion <bash|zsh|fish|builds> [options]');
});

t.test('"bake help" offers every other command', async (t) => {
  t.same(commandTable.find(({ name }) => name === 'help')?.positionals[0]?.completion, commandTable.map(({ name }) => name).filter((name) => name !== 'help'));
});
