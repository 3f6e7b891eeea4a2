// Preloaded into the process of an app command (see run-app-command.ts): synthesizes when the user's program is done.
import { readFileSync, writeFileSync } from 'node:fs';
import { ambient, resetAmbient } from '../../image/ambient.js';
import { unknownVariable } from '../../image/variable.js';
import { synthesize } from '../../synth/synthesize.js';
import { locateIn } from './locate.js';
import { appProcessVariables, type AppProcessInput } from './run-app-command.js';

const inputFile = process.env[appProcessVariables.input];
const outputFile = process.env[appProcessVariables.output];
if (inputFile !== undefined && outputFile !== undefined) {
  const input = JSON.parse(readFileSync(inputFile, 'utf8')) as AppProcessInput;
  resetAmbient(input.variables);
  process.on('exit', (code) => {
    const { apps, declared, diagnostics } = ambient();
    // Programs on the way to the user's own (a package runner) are preloaded as well, and make no App.
    if (code !== 0 || apps.length === 0) return;
    for (const variable of input.given) if (!declared.has(variable.name)) diagnostics.push({ code: 'UnknownVariable', severity: 'error', ...unknownVariable(variable, declared.keys()) });
    const { literals: _kept, ...synthesized } = synthesize({ apps, diagnostics, locate: locateIn(input.project) });
    writeFileSync(outputFile, JSON.stringify({ ...synthesized, literals: [] }));
  });
}
