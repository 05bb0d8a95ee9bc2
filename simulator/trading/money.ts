/**
 * Money inside is an integer of ten-thousandths of a rupee: paise would not hold the 0.0025 ticks of currency
 * derivatives. Sums stay exact below 900 billion rupees.
 */
const UNITS_PER_RUPEE = 10_000;

export const toUnits = (rupees: number) => Math.round(rupees * UNITS_PER_RUPEE);
export const toRupees = (units: number) => units / UNITS_PER_RUPEE;

/** Two decimals, as amounts in messages have them. */
export const rupeeText = (units: number) => toRupees(units).toFixed(2);

/** A share of an amount, rounded to the paisa. */
export const share = (units: number, fraction: number) => Math.round((units * fraction) / 100) * 100;
