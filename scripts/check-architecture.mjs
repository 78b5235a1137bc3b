// Checks the import rule with dependency-cruiser, and that it read the code at all: a compiler it cannot use makes it pass on nothing.
import { existsSync } from 'node:fs'
import { cruise } from 'dependency-cruiser'
import extractConfig from 'dependency-cruiser/config-utl/extract-depcruise-options'
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config'

const MODULE_FLOOR = 250
const ROOTS = ['config', 'daemon', 'firmware-bridge', 'models', 'sync', 'scripts', 'test'].filter((path) =>
  existsSync(path),
)

const options = await extractConfig('./.dependency-cruiser.mjs')
const tsConfig = extractTsConfig('./tsconfig.json')
const { output } = await cruise(ROOTS, { ...options, validate: true }, undefined, { tsConfig })
const ours = output.modules.filter(
  (module) => /\.tsx?$/.test(module.source) && !module.source.includes('node_modules'),
)
for (const { rule, from, to } of output.summary.violations) console.error(`${rule.name}: ${from} → ${to}`)
console.log(
  `architecture: ${ours.length} modules, ${output.summary.totalDependenciesCruised} imports, ${output.summary.violations.length} violations`,
)
if (ours.length < MODULE_FLOOR)
  console.error(`Only ${ours.length} modules were read; at least ${MODULE_FLOOR} are expected.`)
process.exit(output.summary.violations.length > 0 || ours.length < MODULE_FLOOR ? 1 : 0)
