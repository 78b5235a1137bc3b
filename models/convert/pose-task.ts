/** Packs BlazePose for MediaPipe's own runtime, which a phone's browser runs: one stored archive of two TFLite files. */
import { crc32 } from 'node:zlib'
import { rootTable } from './flatbuffer.ts'
import { type Field, type Node, writeFlatBuffer } from './flatbuffer-writer.ts'

/** How pictures become numbers: (0…255 − mean) / deviation. */
export interface Normalisation {
  mean: number
  deviation: number
}

/** −1 to 1, as the detector was trained. */
const DETECTOR_INPUT: Normalisation = { mean: 127.5, deviation: 127.5 }
/** 0 to 1. */
const LANDMARK_INPUT: Normalisation = { mean: 0, deviation: 255 }
const MODEL = { version: 0, operatorCodes: 1, subgraphs: 2, description: 3, buffers: 4, metadata: 6 }
const METADATA_NAME = 'TFLITE_METADATA'
const NORMALISATION_OPTIONS = 1
/** Files begin at a multiple of this, so that they can be read in place. */
const ALIGNMENT = 64

/** The `.task` bundle that MediaPipe's PoseLandmarker opens. The same weights always make the same bytes. */
export function poseTask(detector: Uint8Array, landmarks: Uint8Array): Uint8Array {
  return storedZip([
    { name: 'pose_detector.tflite', bytes: withNormalisation(detector, DETECTOR_INPUT) },
    { name: 'pose_landmarks_detector.tflite', bytes: withNormalisation(landmarks, LANDMARK_INPUT) },
  ])
}

/**
 * The same model with what MediaPipe's task runtime asks to be told about its input: files that were made for the older
 * runtime do not say it. The file stays as it is behind a new beginning that points into it.
 */
export function withNormalisation(tflite: Uint8Array, normalisation: Normalisation): Uint8Array {
  const model = rootTable(tflite)
  const behind = (field: number): Field => {
    const at = model.placeOf(field)
    return at === null ? null : { to: { kind: 'behind', at } }
  }
  const buffers: Node[] = model.placesOf(MODEL.buffers).map((at) => ({ kind: 'behind', at }))
  const metadata: Node = {
    kind: 'table',
    fields: [{ to: { kind: 'text', text: METADATA_NAME } }, { number: buffers.length }],
  }
  const described: Node = {
    kind: 'table',
    fields: [{ to: { kind: 'bytes', bytes: metadataOf(normalisation) } }],
  }
  const root: Node = {
    kind: 'table',
    fields: [
      { number: model.int(MODEL.version) },
      behind(MODEL.operatorCodes),
      behind(MODEL.subgraphs),
      behind(MODEL.description),
      { to: { kind: 'tables', items: [...buffers, described] } },
      null,
      { to: { kind: 'tables', items: [metadata] } },
    ],
  }
  return writeFlatBuffer(root, 'TFL3', tflite)
}

/** ModelMetadata of TFLite's metadata schema: one input, normalised so. */
function metadataOf({ mean, deviation }: Normalisation): Uint8Array {
  const table = (...fields: Field[]): Node => ({ kind: 'table', fields })
  const floats = (value: number): Field => ({ to: { kind: 'floats', values: [value] } })
  const one = (node: Node): Field => ({ to: { kind: 'tables', items: [node] } })
  const options = table(floats(mean), floats(deviation))
  const step = table({ number: NORMALISATION_OPTIONS }, { to: options })
  const input = table({ to: { kind: 'text', text: 'image' } }, null, null, null, one(step))
  const graph = table(null, null, one(input))
  return writeFlatBuffer(table(null, null, null, one(graph)), 'M001')
}

interface ZipFile {
  name: string
  bytes: Uint8Array
}

/** Nothing is packed: MediaPipe reads its files in place. */
function storedZip(files: readonly ZipFile[]): Uint8Array {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const file of files) {
    const local = localHeader(file, at)
    directory.push(entryOf(file, at))
    parts.push(local, Buffer.from(file.bytes.buffer, file.bytes.byteOffset, file.bytes.length))
    at += local.length + file.bytes.length
  }
  const entries = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(files.length, 8)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(entries.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, entries, end])
}

const LOCAL_BYTES = 30
const ENTRY_BYTES = 46
/** 1 January 1980, so that no day of a build is in the file. */
const NO_DATE = 33

function localHeader(file: ZipFile, at: number): Buffer {
  const name = Buffer.from(file.name)
  const padding = -(at + LOCAL_BYTES + name.length) & (ALIGNMENT - 1)
  const header = Buffer.alloc(LOCAL_BYTES + name.length + padding)
  header.writeUInt32LE(0x04034b50, 0)
  describe(header.subarray(4), file)
  header.writeUInt16LE(padding, 28)
  name.copy(header, LOCAL_BYTES)
  return header
}

function entryOf(file: ZipFile, at: number): Buffer {
  const name = Buffer.from(file.name)
  const entry = Buffer.alloc(ENTRY_BYTES + name.length)
  entry.writeUInt32LE(0x02014b50, 0)
  entry.writeUInt16LE(10, 4)
  describe(entry.subarray(6), file)
  entry.writeUInt32LE(at, 42)
  name.copy(entry, ENTRY_BYTES)
  return entry
}

/** The fields that a file's own header and its entry in the directory share. */
function describe(fields: Buffer, { name, bytes }: ZipFile): void {
  fields.writeUInt16LE(10, 0)
  fields.writeUInt16LE(NO_DATE, 8)
  fields.writeUInt32LE(crc32(bytes), 10)
  fields.writeUInt32LE(bytes.length, 14)
  fields.writeUInt32LE(bytes.length, 18)
  fields.writeUInt16LE(Buffer.byteLength(name), 22)
}
