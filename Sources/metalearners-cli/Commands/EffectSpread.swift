import MetaLearnersCore

/// How much the effects of one arm differ between rows.
struct EffectSpread {
    /// The shares of rows below the quantiles, with their names in results and in tables.
    static let quantiles: [(share: Double, key: String, title: String)] = [
        (0, "min", "min"), (0.05, "q05", "5 %"), (0.25, "q25", "25 %"), (0.5, "median", "median"),
        (0.75, "q75", "75 %"), (0.95, "q95", "95 %"), (1, "max", "max"),
    ]

    let arm: String
    let mean: Double
    let stdDeviation: Double
    /// The quantiles, as many as in the list of shares.
    let values: [Double]

    /// Summarises the effects of `arm`; quantiles are interpolated between order statistics (Hyndman & Fan's
    /// type 7).
    init(arm: String, _ effects: [Double]) {
        self.arm = arm
        let sorted = effects.sorted()
        let count = Double(max(sorted.count, 1))
        let average = sorted.reduce(0, +) / count
        mean = average
        stdDeviation =
            sorted.count > 1
            ? (sorted.reduce(0) { $0 + ($1 - average) * ($1 - average) } / (count - 1)).squareRoot() : 0
        values = Self.quantiles.map { quantile in
            guard let last = sorted.indices.last else { return .nan }
            let position = quantile.share * Double(last)
            let low = Int(position)
            let high = min(low + 1, last)
            return sorted[low] + (position - Double(low)) * (sorted[high] - sorted[low])
        }
    }

    /// The spread as results have it.
    var specValue: SpecValue {
        var object = SpecObject([
            ("arm", .string(arm)), ("mean", .number(mean)), ("std_dev", .number(stdDeviation)),
        ])
        for (quantile, value) in zip(Self.quantiles, values) { object[quantile.key] = .number(value) }
        return .object(object)
    }
}
