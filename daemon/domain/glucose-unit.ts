/** The two units that glucose is read in; inside the hub it is always mg/dL. */

/** Molar mass of glucose, 180.156 g/mol, over ten decilitres. */
export const MG_PER_DL_PER_MMOL_PER_L = 18.0156

export const GLUCOSE_UNITS = ['mg/dL', 'mmol/L'] as const
export type GlucoseUnit = (typeof GLUCOSE_UNITS)[number]

export function glucoseUnitOf(told: unknown): GlucoseUnit | null {
  return GLUCOSE_UNITS.find((unit) => unit === told) ?? null
}

/** As people read it: whole mg/dL, mmol/L with one decimal. */
export function glucoseText(mgPerDl: number, unit: GlucoseUnit): string {
  return unit === 'mg/dL' ? mgPerDl.toFixed(0) : (mgPerDl / MG_PER_DL_PER_MMOL_PER_L).toFixed(1)
}
