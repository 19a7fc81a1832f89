import MetaLearnersCore

/// The nonlinear columns of a restricted cubic spline of a number: standardised, like the linear one beside them.
///
/// Knots stand at the 5, 27.5, 50, 72.5 and 95 % quantiles (Harrell 2015, Regression Modeling Strategies, 2.4.5). For
/// knots t_1 … t_k, column j of k − 2 is, up to its scale,
/// (x − t_j)³₊ − (x − t_{k−1})³₊·(t_k − t_j)/(t_k − t_{k−1}) + (x − t_k)³₊·(t_{k−1} − t_j)/(t_k − t_{k−1}), in units of
/// (t_k − t_1)². Quantiles interpolate between the middles of the values' shares of the weight, so that doubling a weight
/// is doubling a row. They are those of `KnotRows`.
struct SplineEncoding: Sendable, Equatable {
    /// More values than this make a curve worth while.
    static let fewValues = 6
    private static let quantiles = [0.05, 0.275, 0.5, 0.725, 0.95]

    /// The smallest and the largest training value, scaled; values beyond count as these.
    let low: Double
    let high: Double
    /// Three to five of them, ascending, scaled; none where there is no curve.
    let knots: [Double]
    /// The means of the nonlinear columns over the values that were there.
    let centers: [Double]
    /// Their standard deviations, missing values at the mean; positive.
    let spreads: [Double]

    /// The number of columns.
    var width: Int { spreads.count }

    /// Learns the curve of `values`, NaN where missing.
    ///
    /// - Parameters:
    ///   - weights: one for each value, positive.
    ///   - totalWeight: their sum, those of other processes among them.
    ///   - factor: what the values are multiplied by.
    ///   - range: the least and the largest value, scaled.
    ///   - rows: which of the values decide where the knots stand.
    /// - Throws: what the collective throws.
    init(
        _ values: [Double], weights: [Double], totalWeight: Double, factor: Double,
        range: ClosedRange<Double>,
        _ rows: KnotRows, _ distribution: DistributedRows?
    ) throws(MetaLearnersError) {
        low = range.lowerBound
        high = range.upperBound
        let seen = Self.distinct(try rows.values(values), rows.weights, factor)
        let knots = seen.count > Self.fewValues ? Self.knots(of: seen) : []
        // Where all values are known, each is looked at once, in every process.
        let isWhole = rows.places == nil
        let moments = try Self.moments(
            isWhole ? seen : zip(values, weights).compactMap { $0.isNaN ? nil : ($0 * factor, $1) },
            knots, totalWeight: totalWeight, isWhole ? nil : distribution)
        // All or nothing: a column without spread means that the knots are of no use.
        let useful = moments.spreads.allSatisfy { $0 > 1e-12 }
        self.knots = useful ? knots : []
        centers = useful ? moments.centers : []
        spreads = useful ? moments.spreads : []
    }

    /// Values that were there, scaled, each with all its weight; ascending.
    private static func distinct(_ values: [Double], _ weights: [Double], _ factor: Double)
        -> [(value: Double, weight: Double)]
    {
        var pairs: [(value: Double, weight: Double)] = []
        for (value, weight) in zip(values, weights) where !value.isNaN {
            pairs.append((value * factor, weight))
        }
        pairs.sort { $0.value < $1.value }
        var distinct: [(value: Double, weight: Double)] = []
        for pair in pairs {
            if let last = distinct.last, last.value == pair.value {
                distinct[distinct.count - 1].weight += pair.weight
            } else {
                distinct.append(pair)
            }
        }
        return distinct
    }

    /// Means of the nonlinear columns over the values that were there, and standard deviations, missing values at the mean.
    private static func moments(
        _ pairs: [(value: Double, weight: Double)], _ knots: [Double], totalWeight: Double,
        _ distribution: DistributedRows?
    ) throws(MetaLearnersError) -> (centers: [Double], spreads: [Double]) {
        let columns = 0..<max(knots.count - 2, 0)
        let presentWeight = try distribution.sum([pairs.reduce(0) { $0 + $1.weight }])[0]
        var centers = [Double](repeating: 0, count: columns.count)
        var squares = centers
        for column in columns {
            let curve = RestrictedCubic(knots, column: column)
            for pair in pairs { centers[column] += pair.weight * curve(pair.value) / presentWeight }
        }
        centers = try distribution.sum(centers)
        for column in columns {
            let curve = RestrictedCubic(knots, column: column)
            for pair in pairs {
                let value = curve(pair.value) - centers[column]
                squares[column] += pair.weight * value * value / totalWeight
            }
        }
        return (centers, try distribution.sum(squares).map { $0.squareRoot() })
    }

    /// Knots at least a thousandth of their range apart; none where fewer than three are left.
    private static func knots(of distinct: [(value: Double, weight: Double)]) -> [Double] {
        let total = distinct.reduce(0) { $0 + $1.weight }
        var positions: [Double] = []
        var before = 0.0
        for pair in distinct {
            positions.append((before + pair.weight / 2) / total)
            before += pair.weight
        }
        let all = quantiles.map { quantile -> Double in
            guard let next = positions.firstIndex(where: { $0 >= quantile }) else {
                return distinct[distinct.count - 1].value
            }
            guard next > 0 else { return distinct[0].value }
            let share = (quantile - positions[next - 1]) / (positions[next] - positions[next - 1])
            return distinct[next - 1].value + share * (distinct[next].value - distinct[next - 1].value)
        }
        let gap = 1e-3 * (all[4] - all[0])
        var knots: [Double] = []
        for knot in all where knots.last.map({ knot - $0 > gap }) ?? true { knots.append(knot) }
        return knots.count >= 3 ? knots : []
    }

    /// The value within the training range; NaN stays.
    @inline(__always)
    func clipped(_ scaled: Double) -> Double { scaled < low ? low : scaled > high ? high : scaled }

    /// A standardised nonlinear column.
    struct Column {
        fileprivate let curve: RestrictedCubic
        fileprivate let center: Double
        fileprivate let spread: Double

        /// Its value at a scaled and clipped value; 0 for NaN.
        @inline(__always)
        func callAsFunction(_ x: Double) -> Double { x.isNaN ? 0 : (curve(x) - center) / spread }
    }

    /// The nonlinear columns.
    var columns: [Column] {
        (0..<width).map {
            Column(
                curve: RestrictedCubic(knots, column: $0), center: centers[$0], spread: spreads[$0])
        }
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(low)
        writer.write(high)
        writer.write(knots)
        writer.write(centers)
        writer.write(spreads)
    }

    init(from reader: inout BinaryReader) throws(MetaLearnersError) {
        low = try reader.readDouble()
        high = try reader.readDouble()
        knots = try reader.readDoubles()
        centers = try reader.readDoubles()
        spreads = try reader.readDoubles()
        guard low.isFinite, high.isFinite, low <= high, knots.isEmpty || (3...5).contains(knots.count),
            knots.allSatisfy(\.isFinite), zip(knots, knots.dropFirst()).allSatisfy({ $0 < $1 }),
            centers.count == max(knots.count - 2, 0), spreads.count == centers.count,
            centers.allSatisfy(\.isFinite), spreads.allSatisfy({ $0.isFinite && $0 > 0 })
        else { throw BinaryReader.corrupt("the spline of a numeric column makes no sense") }
    }
}
