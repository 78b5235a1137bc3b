export const KCAL_PER_KJ = 1 / 4.184
export const KG_PER_LB = 0.45359237
export const MG_PER_DL_PER_MMOL_PER_L = 18.0156

/** Drops what binary arithmetic adds behind the sixth decimal; no sensor here measures finer. */
export function tidy(value: number): number {
  return Number(value.toFixed(6))
}
