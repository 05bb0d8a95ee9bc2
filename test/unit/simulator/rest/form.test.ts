import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Form } from '#simulator/rest/form.ts';
import { KiteError } from '#simulator/rest/kite-error.ts';

test.each(['', ' ', 'abc', 'NaN', 'Infinity', '0x10', '1,5', '१', '1e400', '9'.repeat(30)])(
  '%j is no number',
  (text) => {
    expect(() => Form.of({ price: text }).number('price')).toThrow('`price`');
  },
);

test('numbers are read as the client wrote them', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -1e9, max: 1e9, noNaN: true }).map((n) => Number(n.toFixed(4))),
      (number) => {
        expect(Form.of({ price: String(number) }).number('price') === number).toBe(true);
      },
    ),
    { seed: 20261121 },
  );
});

test('whole numbers stay within their range', () => {
  const read = (text: string) => Form.of({ quantity: text }).integer('quantity', { min: 1, max: 100 });
  expect(read('65')).toBe(65);
  expect(read('65.0')).toBe(65);
  for (const bad of ['0', '-1', '1.5', '101']) expect(() => read(bad), bad).toThrow('`quantity`');
});

test('an empty field is a missing one, and takes the fallback', () => {
  const form = Form.of({ tag: '', validity: '' });
  expect(form.optionalText('tag')).toBeUndefined();
  expect(form.oneOf('validity', ['DAY', 'IOC'], 'DAY')).toBe('DAY');
  expect(() => form.text('exchange')).toThrow('Missing or empty field `exchange`');
});

test('Python writes its booleans with a capital', () => {
  expect(Form.of({ oi: 'True' }).boolean('oi', false)).toBe(true);
  expect(Form.of({ oi: '0' }).boolean('oi', true)).toBe(false);
  expect(() => Form.of({ oi: 'perhaps' }).boolean('oi', true)).toThrow(KiteError);
});
