/** Marker recordings as OpenSim's tab-separated TRC text. */
export interface MarkerRecording {
  markers: readonly string[]
  rateHz: number
  frames: number
  /** x, y, z per marker, marker after marker, frame after frame; metres, Y up; NaN where nothing is known. */
  places: Float64Array
}

export function formatTrc(name: string, { markers, rateHz, frames, places }: MarkerRecording): string {
  const axes = markers.map((_, index) => [`X${index + 1}`, `Y${index + 1}`, `Z${index + 1}`].join('\t'))
  const width = markers.length * 3
  const rows = Array.from({ length: frames }, (_, frame) =>
    [frame + 1, (frame + 1) / rateHz, ...places.subarray(frame * width, (frame + 1) * width)].join('\t'),
  )
  return `${[
    `PathFileType\t4\t(X/Y/Z)\t${name}`,
    'DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames',
    [rateHz, rateHz, frames, markers.length, 'm', rateHz, 0, frames].join('\t'),
    `Frame#\tTime\t${markers.join('\t\t\t')}\t\t`,
    `\t\t${axes.join('\t')}`,
    ...rows,
  ].join('\n')}\n`
}
