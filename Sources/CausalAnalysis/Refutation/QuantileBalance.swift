import MetaLearnersCore

/// The extreme weights of an arm that also balance the covariates (Dorn & Guo 2023, JASA 118, 2645–2657).
///
/// With a = w(1 − e)/e the largest Σ a z r over 1/Λ ≤ z ≤ Λ, Σ a z = Σ a and Σ a z h = Σ a h is, by the duality of linear
/// programmes, Σ a r + min_γ Σ a ρ(r − γ_0 − γ_1 h), where ρ(u) = (Λ − 1)u above 0 and (1 − 1/Λ)|u| below: a quantile
/// regression at τ = Λ/(Λ + 1). The true weights fulfil both equations whatever h is, so that the bound is valid; it is sharp where
/// the τ-quantile of r given the covariates is linear in h.
struct QuantileBalance {
    private let residuals: [Double]
    private let feature: [Double]
    private let weights: [Double]

    /// Takes the rows of an arm.
    ///
    /// - Parameters:
    ///   - residuals: r of each row.
    ///   - feature: h of each row.
    ///   - weights: a of each row, not negative.
    init(residuals: [Double], feature: [Double], weights: [Double]) {
        self.residuals = residuals
        self.weights = weights
        // γ_1 has the unit of r where h has a standard deviation of 1; a constant h balances nothing beyond Σ a.
        var moments = WeightedMoments()
        for (value, weight) in zip(feature, weights) { moments.add(value, weight: weight) }
        let deviation = (moments.variance ?? 0).squareRoot()
        let scale = deviation > 1e-12 * max(1, abs(moments.mean)) ? 1 / deviation : 0
        self.feature = feature.map { ($0 - moments.mean) * scale }
    }

    /// ρ of each row at the minimum, or its negative for the lower end: Σ a r + Σ a ρ is the extreme. O(rows) times the steps of a
    /// bisection.
    func penalties(_ lambda: Double, isUpper: Bool) -> [Double] {
        let sign = isUpper ? 1.0 : -1.0
        let (above, below) = (lambda - 1, 1 - 1 / lambda)
        guard above > 0, !residuals.isEmpty else { return [Double](repeating: 0, count: residuals.count) }
        let values = residuals.map { sign * $0 }
        var best = Fit(values, feature, weights, slope: 0, above, below)
        if best.gradient != 0, feature.contains(where: { $0 != 0 }) {
            // The minimum lies against the gradient: at most as far away as where the gradient has turned.
            let direction = best.gradient > 0 ? -1.0 : 1.0
            var (near, far) = (0.0, direction * max(best.scale, 1e-300))
            for _ in 0..<60 {
                let fit = Fit(values, feature, weights, slope: far, above, below)
                if fit.loss < best.loss { best = fit }
                if fit.gradient * direction >= 0 { break }
                (near, far) = (far, 2 * far)
            }
            for _ in 0..<60 {
                let middle = (near + far) / 2
                guard middle != near, middle != far else { break }
                let fit = Fit(values, feature, weights, slope: middle, above, below)
                if fit.loss < best.loss { best = fit }
                if fit.gradient == 0 { break }
                if fit.gradient * direction < 0 { near = middle } else { far = middle }
            }
        }
        return values.indices.map { row in
            let rest = values[row] - best.slope * feature[row] - best.constant
            return sign * (rest > 0 ? above * rest : -below * rest)
        }
    }

    /// The best constant for a slope, the loss there, and a subgradient of it in the slope.
    private struct Fit {
        let slope: Double
        let constant: Double
        let loss: Double
        let gradient: Double
        /// The mean distance from the constant.
        let scale: Double

        init(
            _ values: [Double], _ feature: [Double], _ weights: [Double], slope: Double, _ above: Double,
            _ below: Double
        ) {
            var rests = values.indices.map { (value: values[$0] - slope * feature[$0], weight: weights[$0]) }
            let constant = QuantileBalance.quantile(&rests, share: above / (above + below))
            var (loss, gradient, scale, total) = (0.0, 0.0, 0.0, 0.0)
            // The rows at the quantile take what makes Σ a z = Σ a hold.
            var (open, tied, tiedFeature) = (0.0, 0.0, 0.0)
            for row in values.indices {
                let rest = values[row] - slope * feature[row] - constant
                let weight = weights[row]
                total += weight
                scale += weight * abs(rest)
                if rest == 0 {
                    tied += weight
                    tiedFeature += weight * feature[row]
                    continue
                }
                let price = rest > 0 ? above : -below
                loss += weight * price * rest
                gradient -= weight * price * feature[row]
                open += weight * price
            }
            if tied > 0 { gradient += open / tied * tiedFeature }
            self.slope = slope
            self.constant = constant
            self.loss = loss
            self.gradient = gradient
            self.scale = total > 0 ? scale / total : 0
        }
    }

    /// The least value that `share` of the weight does not exceed, found by partitions. O(rows) on average.
    private static func quantile(_ rows: inout [(value: Double, weight: Double)], share: Double) -> Double {
        let total = rows.reduce(0) { $0 + $1.weight }
        var wanted = share * total
        var (low, high) = (0, rows.count)
        while high - low > 1 {
            let (first, middle, last) = (rows[low].value, rows[(low + high) / 2].value, rows[high - 1].value)
            let pivot = max(min(first, middle), min(max(first, middle), last))
            // Values below the pivot, equal to it, above it.
            var (start, place, end) = (low, low, high)
            var (below, equal) = (0.0, 0.0)
            while place < end {
                if rows[place].value < pivot {
                    below += rows[place].weight
                    rows.swapAt(start, place)
                    start += 1
                    place += 1
                } else if rows[place].value > pivot {
                    end -= 1
                    rows.swapAt(place, end)
                } else {
                    equal += rows[place].weight
                    place += 1
                }
            }
            if wanted <= below, start > low {
                high = start
            } else if wanted <= below + equal || end == high {
                return pivot
            } else {
                wanted -= below + equal
                low = end
            }
        }
        return rows[low].value
    }
}
