//! Units of measure.

use super::is_digits;
use crate::local::speech_text::numbers::{cardinal, written};

/// Units written right after a number or as a word of their own behind one: the mark, one, many.
const UNITS: [(&str, &str, &str); 61] = [
    ("km/h", "kilometer per hour", "kilometers per hour"),
    ("mph", "mile per hour", "miles per hour"),
    ("°c", "degree celsius", "degrees celsius"),
    ("°f", "degree fahrenheit", "degrees fahrenheit"),
    ("°", "degree", "degrees"),
    ("km", "kilometer", "kilometers"),
    ("cm", "centimeter", "centimeters"),
    ("mm", "millimeter", "millimeters"),
    ("kg", "kilogram", "kilograms"),
    ("mg", "milligram", "milligrams"),
    ("lb", "pound", "pounds"),
    ("lbs", "pound", "pounds"),
    ("oz", "ounce", "ounces"),
    ("ml", "milliliter", "milliliters"),
    ("ft", "foot", "feet"),
    ("kb", "kilobyte", "kilobytes"),
    ("mb", "megabyte", "megabytes"),
    ("gb", "gigabyte", "gigabytes"),
    ("tb", "terabyte", "terabytes"),
    ("hz", "hertz", "hertz"),
    ("khz", "kilohertz", "kilohertz"),
    ("mhz", "megahertz", "megahertz"),
    ("ghz", "gigahertz", "gigahertz"),
    ("kwh", "kilowatt hour", "kilowatt hours"),
    ("ms", "millisecond", "milliseconds"),
    ("min", "minute", "minutes"),
    ("hr", "hour", "hours"),
    ("hrs", "hour", "hours"),
    ("am", "A M", "A M"),
    ("pm", "P M", "P M"),
    ("%", "percent", "percent"),
    ("kph", "kilometer per hour", "kilometers per hour"),
    ("m/s", "meter per second", "meters per second"),
    ("rpm", "revolution per minute", "revolutions per minute"),
    ("bpm", "beat per minute", "beats per minute"),
    ("kbps", "kilobit per second", "kilobits per second"),
    ("mbps", "megabit per second", "megabits per second"),
    ("gbps", "gigabit per second", "gigabits per second"),
    ("sec", "second", "seconds"),
    ("mins", "minute", "minutes"),
    ("yd", "yard", "yards"),
    ("yds", "yard", "yards"),
    ("mi", "mile", "miles"),
    ("gal", "gallon", "gallons"),
    ("kcal", "kilocalorie", "kilocalories"),
    ("cal", "calorie", "calories"),
    ("kw", "kilowatt", "kilowatts"),
    ("mw", "megawatt", "megawatts"),
    ("wh", "watt hour", "watt hours"),
    ("mah", "milliampere hour", "milliampere hours"),
    ("dpi", "dot per inch", "dots per inch"),
    ("fps", "frame per second", "frames per second"),
    ("px", "pixel", "pixels"),
    ("cl", "centiliter", "centiliters"),
    ("km²", "square kilometer", "square kilometers"),
    ("km2", "square kilometer", "square kilometers"),
    ("m²", "square meter", "square meters"),
    ("m2", "square meter", "square meters"),
    ("m³", "cubic meter", "cubic meters"),
    ("cm²", "square centimeter", "square centimeters"),
    ("sqft", "square foot", "square feet"),
];
/// Units of one letter, which stand for other things in the other case ("5G", "2M").
const LETTERS: [(&str, &str, &str); 7] = [
    ("m", "meter", "meters"),
    ("g", "gram", "grams"),
    ("l", "liter", "liters"),
    ("L", "liter", "liters"),
    ("h", "hour", "hours"),
    ("W", "watt", "watts"),
    ("V", "volt", "volts"),
];

/// What a unit's mark is called behind `amount`.
pub(super) fn unit(amount: &str, mark: &str) -> Option<&'static str> {
    let exact = LETTERS.iter().find(|(name, ..)| *name == mark);
    let (_, one, many) = exact.or_else(|| UNITS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(mark)))?;
    Some(if amount == "1" { one } else { many })
}

/// `5km`, `20°C`, `9am`.
pub(super) fn measure(word: &str) -> Option<String> {
    let unit_at = word.find(|c: char| !(c.is_ascii_digit() || ".,-".contains(c)))?;
    let (amount, mark) = word.split_at(unit_at);
    Some(format!("{} {}", written(amount)?, unit(amount, mark)?))
}

/// `5'10`: feet and inches. The mark of the inches is gone by now.
pub(super) fn feet(word: &str) -> Option<String> {
    let (feet, inches) = word.split_once('\'')?;
    if !is_digits(feet) || feet.len() > 3 {
        return None;
    }
    if inches.is_empty() {
        return Some(format!("{} {}", written(feet)?, if feet == "1" { "foot" } else { "feet" }));
    }
    let inches = inches.parse::<u64>().ok().filter(|inches| *inches < 12)?;
    Some(format!("{} foot {}", written(feet)?, cardinal(inches)))
}
