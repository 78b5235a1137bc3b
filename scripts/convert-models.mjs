// Makes dist/models/*.onnx from the weights of npm packages named in the manifest, and puts the hub's own models beside them.
// A missing package costs the model, not the build.
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { convertTflite } from '../dist/models/convert/convert.js'
import { sha256Of } from '../dist/models/manifest.js'

copyFileSync('models/manifest.json', 'dist/models/manifest.json')
const { models } = JSON.parse(readFileSync('models/manifest.json', 'utf8'))

/** Says what is wrong and answers false when the model could not be made. */
function convert({ name, file, bytes, sha256, converted, input }) {
  const source = `node_modules/${converted.package}/${converted.file}`
  if (!existsSync(source)) {
    console.error(`${name} is left out: ${source} is not installed (npm install brings it).`)
    return true
  }
  const weights = readFileSync(source)
  if (sha256Of(weights) !== converted.sha256) {
    console.error(`${name}: ${source} is not the file of the manifest (its SHA-256 differs).`)
    return false
  }
  const model = convertTflite(weights, { name, input: input.name, outputs: converted.outputs })
  writeFileSync(`dist/models/${file}`, model)
  const made = sha256Of(model)
  if (made === sha256 && model.length === bytes) return true
  console.error(
    `${name}: conversion made ${model.length} bytes, SHA-256 ${made}; the manifest says otherwise.`,
  )
  return false
}

/** Checks a model of the repository against the manifest, so that a new training without its new hash is not shipped. */
function copyOwn({ name, file, bytes, sha256 }) {
  const model = readFileSync(`models/${file}`)
  if (model.length !== bytes || sha256Of(model) !== sha256) {
    console.error(
      `${name}: models/${file} has ${model.length} bytes, SHA-256 ${sha256Of(model)}; the manifest says otherwise.`,
    )
    return false
  }
  writeFileSync(`dist/models/${file}`, model)
  const beside = file.replace('.onnx', '.json')
  copyFileSync(`models/${beside}`, `dist/models/${beside}`)
  return true
}

const made = models.filter((model) => model.converted !== undefined).map(convert)
const own = models.filter((model) => model.trained !== undefined).map(copyOwn)
process.exit([...made, ...own].every(Boolean) ? 0 : 1)
