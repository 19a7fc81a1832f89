import MetaLearnersCore

extension RandomStream {
    /// A number drawn from the standard normal distribution: the polar method of Marsaglia & Bray (1964), of whose pair one is used.
    ///
    /// (The generators of data in `CausalAnalysis` have that of Box & Muller, on which their published numbers rest.)
    mutating func standardNormal() -> Double {
        while true {
            let x = 2 * uniform() - 1
            let y = 2 * uniform() - 1
            let square = x * x + y * y
            guard square > 0, square < 1 else { continue }
            return x * (-2 * Double.log(square) / square).squareRoot()
        }
    }

    /// A number drawn from the Gamma distribution of this shape, at least 1 and finite, and scale 1 (Marsaglia & Tsang 2000).
    mutating func gamma(shape: Double) -> Double {
        let d = (shape.isFinite ? max(shape, 1) : 1) - 1 / 3.0
        let c = 1 / (9 * d).squareRoot()
        while true {
            let normal = standardNormal()
            let root = 1 + c * normal
            guard root > 0 else { continue }
            let cube = root * root * root
            let bound = 0.5 * normal * normal + d * (1 - cube + Double.log(cube))
            if Double.log(1 - uniform()) < bound { return d * cube }
        }
    }

    /// A number drawn from the inverse Gamma distribution of this shape, at least 1, and scale.
    mutating func inverseGamma(shape: Double, scale: Double) -> Double { scale / gamma(shape: shape) }
}
