/** Where a picture lies in the frame that shows it whole, and where a place of the picture is then. */
export interface Size {
  width: number
  height: number
}

export interface Fit {
  x: number
  y: number
  width: number
  height: number
}

/** The picture as large as it fits, in the middle, with bars at two sides when the shapes differ. */
export function contain(frame: Size, picture: Size): Fit {
  if (!(picture.width > 0 && picture.height > 0)) return { x: 0, y: 0, width: 0, height: 0 }
  const scale = Math.min(frame.width / picture.width, frame.height / picture.height)
  const width = picture.width * scale
  const height = picture.height * scale
  return { x: (frame.width - width) / 2, y: (frame.height - height) / 2, width, height }
}

/**
 * Turns places of the picture that was looked at into places of the frame. That picture may be smaller than the one on screen:
 * only its shape is the same.
 */
export function placer(fit: Fit, looked: Size): (x: number, y: number) => [x: number, y: number] {
  const [across, down] = [fit.width / looked.width, fit.height / looked.height]
  return (x, y) => [fit.x + x * across, fit.y + y * down]
}
