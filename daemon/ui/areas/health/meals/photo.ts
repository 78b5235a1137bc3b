/** Photos of meals on their way to the hub and back: made small enough, sent with their progress, fetched with the sign-in. */
import { ApiError } from '../../../net/api.ts'
import type { Session } from '../../../net/session.ts'
import { upload } from '../bring/upload.ts'

/** What the hub takes as it is. */
const TAKEN: readonly string[] = ['image/jpeg', 'image/png']
const BYTES_MAX = 8 * 1024 ** 2
/** Long side of a photo that has to be made smaller. */
const SIDE_PX = 2400
const QUALITY = 0.85

export type PhotoSize = 'full' | 'thumb'

/** The photo itself where the hub takes it, else the same as a smaller JPEG; null for what this browser cannot read either. */
export async function fitting(file: Blob): Promise<Blob | null> {
  if (TAKEN.includes(file.type) && file.size <= BYTES_MAX) return file
  const picture = await createImageBitmap(file).catch(() => null)
  if (picture === null) return null
  const scale = Math.min(1, SIDE_PX / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(picture.width * scale)
  canvas.height = Math.round(picture.height * scale)
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY))
}

/** Rejects with ApiError. */
export async function sendPhoto(
  session: Session,
  mealId: string,
  photo: Blob,
  onProgress: (fraction: number) => void,
): Promise<void> {
  const token = await session.freshToken(false)
  if (token === null) throw new ApiError('OFFLINE', '')
  await upload({ path: photoPath(mealId), file: photo, type: photo.type, token, onProgress }).done
}

/** An address for an `<img>`, to be revoked; null where there is no photo or no hub. */
export async function fetchPhoto(session: Session, mealId: string, size: PhotoSize): Promise<string | null> {
  const token = await session.freshToken(false)
  if (token === null) return null
  try {
    const answer = await fetch(`/api/v1${photoPath(mealId)}?size=${size}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    return answer.ok ? URL.createObjectURL(await answer.blob()) : null
  } catch {
    return null
  }
}

export function photoPath(mealId: string): string {
  return `/meals/${encodeURIComponent(mealId)}/photo`
}
