import MetaLearnersCore

/// A target less its mean, divided by its standard deviation.
struct StandardTarget {
    let values: [Double]
    /// The largest magnitude of them, in all processes.
    let largest: Double
    let mean: Double
    /// The standard deviation; 0 where nothing varies.
    let unit: Double

    /// - Parameter hasMean: whether the mean is taken off.
    init(_ given: [Double], _ weights: RowWeights, hasMean: Bool, _ distribution: DistributedRows?)
        throws(MetaLearnersError)
    {
        // By a power of two, so that squares neither overflow nor vanish.
        let magnitude = try distribution.maximum([given.reduce(0) { max($0, abs($1)) }])[0]
        let scale = BoostingProblem.scale(magnitude, bits: 0)
        let scaled = given.map { $0 * scale }
        func total(_ term: (Int) -> Double) throws(MetaLearnersError) -> Double {
            var sum = ExactSum()
            for position in scaled.indices { sum.add(weights[position] * term(position)) }
            return try distribution?.sum([sum])[0].value ?? sum.value
        }
        let mean = hasMean && weights.total > 0 ? try total { scaled[$0] } / weights.total : 0
        let squares = try total { (scaled[$0] - mean) * (scaled[$0] - mean) }
        let deviation = weights.total > 0 ? (squares / weights.total).squareRoot() : 0
        self.mean = mean / scale
        // Residuals within the rounding errors of the target are none: trees must not fit those.
        guard deviation > 1e-13 else {
            (values, largest, unit) = (scaled.map { _ in 0 }, 0, 0)
            return
        }
        values = scaled.map { ($0 - mean) / deviation }
        unit = deviation / scale
        largest = try distribution.maximum([values.reduce(0) { max($0, abs($1)) }])[0]
    }
}

/// A regressor divided by its root mean square where it is not 0.
struct StandardRegressor {
    let values: [Double]
    /// What the regressor was multiplied by, and its coefficient is to be; 0 where it is 0 in all rows.
    let scale: Double

    init(_ given: [Double], _ weights: RowWeights, _ distribution: DistributedRows?)
        throws(MetaLearnersError)
    {
        let magnitude = try distribution.maximum([given.reduce(0) { max($0, abs($1)) }])[0]
        let binary = BoostingProblem.scale(magnitude, bits: 0)
        var sums = [ExactSum(), ExactSum()]
        for (position, value) in given.enumerated() where value != 0 {
            sums[0].add(weights[position] * (value * binary) * (value * binary))
            sums[1].add(weights[position])
        }
        if let distribution { sums = try distribution.sum(sums) }
        guard sums[0].value > 0 else {
            (values, scale) = (given, 0)
            return
        }
        let rootMeanSquare = (sums[0].value / sums[1].value).squareRoot()
        values = given.map { $0 * binary / rootMeanSquare }
        scale = binary / rootMeanSquare
    }
}
