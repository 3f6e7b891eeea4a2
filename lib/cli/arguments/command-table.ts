import type { CommandSpec, OptionSpec } from './command-spec.js';

/** Options of every command. */
export const globalOptions: readonly OptionSpec[] = [
  { name: 'json', summary: 'write JSON to standard output, for programs' },
  { name: 'verbose', short: 'v', summary: 'show every line of output, and stacks of unexpected errors' },
  { name: 'color', summary: 'use colours, also when piped (FORCE_COLOR=1)' },
  { name: 'no-color', summary: 'use no colours (NO_COLOR=1)' },
  { name: 'help', short: 'h', summary: 'show the help of a command' },
  { name: 'version', short: 'V', summary: 'show the version' },
];

const appOptions: readonly OptionSpec[] = [
  { name: 'app', short: 'a', value: 'file|folder', completion: 'file', summary: 'the app: image.ts, or a folder with bake.json or image.ts in it (default: here)' },
  { name: 'var', short: 'c', value: 'name=value', isRepeated: true, summary: 'the value of a variable' },
  { name: 'var-file', value: 'file', isRepeated: true, completion: 'file', summary: 'a JSON file of variables' },
];
const outOption: OptionSpec = { name: 'out', short: 'o', value: 'folder', completion: 'folder', summary: 'where the plan goes (default: bake.out next to the app)' };
const yesOption: OptionSpec = { name: 'yes', short: 'y', summary: 'ask nothing' };

const buildOptions: readonly OptionSpec[] = [
  { name: 'only', value: 'globs', isRepeated: true, isList: true, completion: 'build', summary: 'only these builds or sources' },
  { name: 'except', value: 'globs', isRepeated: true, isList: true, completion: 'build', summary: 'not these builds or sources' },
  { name: 'on-error', value: 'what', choices: ['cleanup', 'keep', 'ask'], summary: 'when a step fails: remove what was made (default), keep it, or ask' },
  { name: 'parallel', short: 'p', value: 'n', isCount: true, summary: 'builds at once (default: all)' },
  { name: 'force', short: 'f', summary: 'replace what stands in the way, such as output files, and build what is up to date' },
  { name: 'dry-run', short: 'n', summary: 'only say what would be done, and why' },
  { name: 'resume', value: 'run', isValueOptional: true, summary: 'build what that run was to build, or the last one that failed; each build goes on from its last checkpoint' },
  { name: 'no-cache', value: 'globs', isValueOptional: true, isRepeated: true, isList: true, completion: 'build', summary: 'use nothing of earlier runs, for everything or for these images, builds or steps' },
  { name: 'frozen', summary: 'for CI: look nothing up that bake.lock.json does not pin, and leave that file as it is' },
  { name: 'update', value: 'globs', isValueOptional: true, isRepeated: true, isList: true, summary: 'look up anew what bake.lock.json pins, all of it or what matches, such as debian:12 or docker' },
  { name: 'checkpoints', value: 'when', choices: ['auto', 'all', 'none'], summary: 'save the machine for later runs: where it is worth its time (default), after each step, never' },
];
/** What they are about is the same whether one builds once or at each change. */
const watchOptions = buildOptions.filter(({ name }) => ['only', 'except', 'parallel', 'force', 'checkpoints'].includes(name));

/** Every command of `bake`. */
export const commandTable: readonly CommandSpec[] = [
  {
    name: 'init', summary: 'start a project',
    description: 'Writes image.ts, package.json, tsconfig.json and .gitignore. Nothing that is there already is overwritten.',
    positionals: [{ name: 'folder', completion: 'folder' }],
    options: [{ name: 'template', short: 't', value: 'name', choices: ['quickstart', 'rootfs', 'docker'], summary: 'quickstart (default): runs anywhere, offline; rootfs, docker: a web server' }],
    examples: [
      { command: 'bake init', meaning: 'in this folder' },
      { command: 'bake init web --template docker', meaning: 'in the new folder "web"' },
    ],
    load: async () => (await import('../commands/init.js')).init,
  },
  {
    name: 'ls', summary: 'list the images and builds of the app',
    positionals: [], options: appOptions,
    examples: [
      { command: 'bake ls', meaning: 'images, and under each its builds' },
      { command: 'bake ls --json', meaning: 'the same for programs' },
    ],
    load: async () => (await import('../commands/ls.js')).ls,
  },
  {
    name: 'synth', summary: 'compile image.ts to a plan and show it',
    description: 'Needs no network and no credentials. The plan is written to bake.out/; all errors are shown at once. Where something was built before, each step is marked with what a run would do and why.',
    positionals: [],
    options: [...appOptions, outOption,
      { name: 'check', summary: 'check the types first, with the TypeScript of your project' },
      { name: 'quiet', short: 'q', summary: 'show errors and warnings only' },
    ],
    examples: [
      { command: 'bake synth', meaning: 'what each build will do, what is temporary, what stays' },
      { command: 'bake synth --check --quiet', meaning: 'is everything right? (for CI)' },
      { command: 'bake synth --json -c region=eu', meaning: 'the plans as one JSON document' },
    ],
    load: async () => (await import('../commands/synth.js')).synth,
  },
  {
    name: 'diff', summary: 'compare the plan with an earlier one',
    description: 'Compares what image.ts means now with bake.out/ as the last synth or run left it, or with a given plan. Writes nothing. Exit code 3 if they differ.',
    positionals: [{ name: 'file-or-folder', completion: 'file' }],
    options: appOptions,
    examples: [
      { command: 'bake diff', meaning: 'what has changed since the last synth or run' },
      { command: 'bake diff ../release/bake.out', meaning: 'against another bake.out' },
      { command: 'bake diff plans.json', meaning: 'against what "bake synth --json" wrote' },
    ],
    load: async () => (await import('../commands/diff.js')).diff,
  },
  {
    name: 'run', summary: 'build the images',
    description: 'Builds all images, or those that the selectors name (globs on images and builds), and what they need. What is temporary is always removed.',
    positionals: [{ name: 'selectors', isVariadic: true, completion: 'build' }],
    options: [...appOptions, outOption, ...buildOptions, yesOption],
    examples: [
      { command: 'bake run', meaning: 'everything' },
      { command: 'bake run Web', meaning: 'all builds of the image Web' },
      { command: "bake run 'Web/*' --except Qemu", meaning: 'all but one' },
      { command: 'bake run --dry-run', meaning: 'what would be done, what is cached, and why' },
      { command: 'bake run --no-cache=Web/Nginx', meaning: 'do this step, and what follows it, anew' },
      { command: 'bake run --update=debian:12', meaning: 'take what this tag is now, and pin that' },
      { command: 'bake run --resume', meaning: 'what failed last, from where it got to' },
      { command: 'bake run --on-error ask', meaning: 'look into the machine when a step fails' },
      { command: 'bake run --json > events.ndjson', meaning: 'the events, one JSON object a line' },
    ],
    load: async () => (await import('../commands/run.js')).run,
  },
  {
    name: 'watch', summary: 'show what a run would do whenever a file changes',
    description: 'Watches image.ts and what it imports, its assets, bake.json and the files given with --var-file. With --run it builds, each time from the step that changed; a change meanwhile ends that build and starts anew. Ctrl-C ends it.',
    positionals: [{ name: 'selectors', isVariadic: true, completion: 'build' }],
    options: [...appOptions, outOption, ...watchOptions, { name: 'run', short: 'r', summary: 'build, too' }],
    examples: [
      { command: 'bake watch', meaning: 'what would be done, and why, after each change' },
      { command: 'bake watch Web/Docker --run', meaning: 'build it whenever it changes' },
    ],
    load: async () => (await import('../commands/watch.js')).watch,
  },
  {
    name: 'shell', summary: 'work in a machine as it is after a step',
    description: 'Brings back what a checkpoint holds in a copy, opens a shell in it, and removes the copy when that ends. Names are paths of provisioners (Web/Qemu/Nginx), sources (Web/Qemu: the deepest checkpoint), or the id of a run that kept its machine with --on-error keep. Without a terminal, commands are read from standard input. The exit code is the shell\'s own.',
    positionals: [{ name: 'step-or-run', isRequired: true, completion: 'build' }, { name: 'build', completion: 'build' }],
    options: appOptions,
    examples: [
      { command: 'bake shell Web/Docker/Nginx', meaning: 'the container as it is after the provisioner Nginx' },
      { command: 'bake shell Web/Qemu', meaning: 'the machine of a source, as far as there is a checkpoint' },
      { command: 'bake shell 01jd0c7k3x', meaning: 'what a failed run has kept' },
      { command: "echo 'nginx -t' | bake shell Web/Docker/Nginx", meaning: 'commands from standard input' },
    ],
    load: async () => (await import('../commands/shell.js')).shell,
  },
  {
    name: 'clean', summary: 'remove what dead runs left behind',
    description: 'Removes what the journals of dead runs name. Runs that are still going on are left alone. With --scan also what carries a stamp of bake and no journal here names: of this computer, and of others if their runs began longer ago than --older-than (default: 24h). Exit code 5 if something could not be removed.',
    positionals: [{ name: 'run' }],
    options: [appOptions[0]!,
      { name: 'scan', summary: 'also look for what carries a stamp of bake; so do the next three options' },
      { name: 'platform', value: 'names', isRepeated: true, isList: true, completion: 'platform', summary: 'look on these platforms only, such as ec2' },
      { name: 'region', value: 'names', isRepeated: true, isList: true, summary: 'look in these regions, such as eu-west-1; "all" for each' },
      { name: 'older-than', value: 'time', summary: 'take runs of other computers for dead that began longer ago, such as 2h' },
      { name: 'dry-run', short: 'n', summary: 'only say what would be removed' },
    ],
    examples: [
      { command: 'bake clean', meaning: 'after every run that died in this project' },
      { command: 'bake clean --scan --dry-run', meaning: 'look for strays, touch nothing' },
      { command: 'bake clean --scan --platform ec2 --region all', meaning: 'what runs without a journal left in an account' },
    ],
    load: async () => (await import('../commands/clean.js')).clean,
  },
  {
    name: 'prune', summary: 'make room: remove checkpoints that were not used for long',
    description: 'Keeps the checkpoints of all your projects within --keep-storage: what was used least recently goes first. Without options the limit is 20GB, or what BAKE_CACHE_SIZE says; a run that saves checkpoints keeps to it too. With --older-than alone, only age counts, and results of this project that are as old are forgotten. What a run uses stays; what dead processes left goes. Exit code 5 if something could not be removed. With --platform it is about the images of this project in an account instead: those of builds that have --keep newer ones (default: 3) and are older than --older-than (default: 30d) are deprecated, a --grace (default: 7d) later disabled, and another one later removed. What an instance, a launch template, a launch configuration or an SSM parameter uses stays, and so does what is shared.',
    positionals: [],
    options: [appOptions[0]!,
      { name: 'keep-storage', value: 'size', summary: 'how much may stay, such as 20GB; 0 for nothing' },
      { name: 'older-than', value: 'time', summary: 'remove what was last used longer ago, such as 7d or 12h' },
      { name: 'platform', value: 'names', isRepeated: true, isList: true, completion: 'platform', summary: 'retire old images there, such as ec2' },
      { name: 'region', value: 'names', isRepeated: true, isList: true, summary: 'in these regions; "all" for each' },
      { name: 'keep', value: 'n', isCount: true, summary: 'so many images of each build stay, the newest' },
      { name: 'grace', value: 'time', summary: 'between two stages of an image, such as 14d' },
      { name: 'now', summary: 'remove old images at once, without stages' },
      { name: 'dry-run', short: 'n', summary: 'only say what would be removed' },
    ],
    examples: [
      { command: 'bake prune', meaning: 'keep the store within its limit' },
      { command: 'bake prune --keep-storage 5GB --older-than 7d', meaning: 'nothing that is older, and no more than that' },
      { command: 'bake prune --keep-storage 0 --dry-run', meaning: 'what there is, and what it takes' },
      { command: 'bake prune --platform ec2 --keep 5 --older-than 90d', meaning: 'retire old AMIs, a stage each time it is called' },
    ],
    load: async () => (await import('../commands/prune.js')).prune,
  },
  {
    name: 'images', summary: 'list what was built in this project',
    description: 'Newest first: each artifact, what it was built from, when, at which git commit, and whether it is still there.',
    positionals: [{ name: 'builds', isVariadic: true, completion: 'build' }], options: [appOptions[0]!],
    examples: [
      { command: 'bake images', meaning: 'everything' },
      { command: "bake images 'Web/*' --json", meaning: 'what the builds of Web made, for programs' },
    ],
    load: async () => (await import('../commands/images.js')).images,
  },
  {
    name: 'outputs', summary: 'print ids, paths and digests of what was built last',
    description: 'For Terraform and pipelines: what the last successful run of each build made. Nothing is built; a build that never was is an error.',
    positionals: [{ name: 'builds', isVariadic: true, completion: 'build' }],
    options: [appOptions[0]!, { name: 'format', value: 'format', choices: ['json', 'env', 'tfvars'], summary: 'json (default), env (BAKE_WEB_DOCKER_ID=…, for a shell), tfvars (web_docker_id = "…")' }],
    examples: [
      { command: 'bake outputs Web/Docker', meaning: 'as JSON: what one build made' },
      { command: 'bake outputs --format tfvars > images.auto.tfvars', meaning: 'for Terraform' },
      { command: 'eval "$(bake outputs --format env)"', meaning: 'as variables of a shell' },
    ],
    load: async () => (await import('../commands/outputs.js')).outputs,
  },
  {
    name: 'doctor', summary: 'check what each platform needs on this machine',
    description: 'With platforms named, the exit code is 1 if a required part of one is missing. With --policy: the smallest policy with which the account can carry out the plan of this app, and clean up after it.',
    positionals: [{ name: 'platform', isVariadic: true, completion: 'platform' }],
    options: [
      { name: 'policy', summary: 'print what the account must allow for this app instead' }, { name: 'platform', value: 'names', isRepeated: true, isList: true, completion: 'platform', summary: 'the same as to name it without --platform' },
      ...appOptions,
    ],
    examples: [
      { command: 'bake doctor', meaning: 'all platforms' },
      { command: 'bake doctor rootfs', meaning: 'one platform, and the commands that install what is missing' },
      { command: 'bake doctor ec2 --policy > policy.json', meaning: 'the smallest IAM policy for this app' },
    ],
    load: async () => (await import('../commands/doctor.js')).doctor,
  },
  {
    name: 'setup', summary: 'install what doctor finds missing',
    description: 'Shows the commands and asks before it runs them. Exit code 4 if the answer is no.',
    positionals: [{ name: 'platform', isVariadic: true, completion: 'platform' }], options: [yesOption, { name: 'optional', summary: 'also what only some features need' }],
    examples: [
      { command: 'bake setup rootfs', meaning: 'what the rootfs platform needs' },
      { command: 'bake setup --yes', meaning: 'everything, without asking' },
    ],
    load: async () => (await import('../commands/setup.js')).setup,
  },
  {
    name: 'completion', summary: 'print the completion script of a shell',
    positionals: [{ name: 'shell', isRequired: true, choices: ['bash', 'zsh', 'fish', 'builds'] }],
    options: [appOptions[0]!],
    description: '"builds" prints the names of images and builds in bake.out/, which the scripts offer for "bake run".',
    examples: [
      { command: 'source <(bake completion bash)', meaning: 'in ~/.bashrc' },
      { command: 'source <(bake completion zsh)', meaning: 'in ~/.zshrc, after compinit' },
      { command: 'bake completion fish > ~/.config/fish/completions/bake.fish', meaning: 'once' },
    ],
    load: async () => (await import('../commands/completion.js')).completion,
  },
  {
    name: 'help', summary: 'show the help of a command',
    positionals: [{ name: 'command', completion: ['init', 'ls', 'synth', 'diff', 'run', 'watch', 'shell', 'clean', 'prune', 'images', 'outputs', 'doctor', 'setup', 'completion'] }], options: [],
    examples: [{ command: 'bake help run', meaning: 'the same as bake run --help' }],
    load: async () => (await import('../commands/help.js')).help,
  },
];

/** The options that a command takes, its own first. */
export function optionsOf(command: CommandSpec | undefined): readonly OptionSpec[] {
  return [...(command?.options ?? []), ...globalOptions];
}
