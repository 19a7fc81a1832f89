/// Nodes and weights of Gauss–Legendre quadrature on [0, 1], which integrates polynomials of degree 2n − 1 exactly.
///
/// The Shapley value of a column in a product game is such an integral: see `LeafGame`.
struct GaussLegendre: Sendable {
    let nodes: [Double]
    let weights: [Double]

    /// The rule with n nodes: roots of the Legendre polynomial by Newton's method.
    init(_ count: Int) {
        var nodes = [Double](repeating: 0, count: count)
        var weights = nodes
        for index in 0..<count {
            var x = Double.cosine(Double.pi * (Double(index) + 0.75) / (Double(count) + 0.5))
            var derivative = 1.0
            for _ in 0..<100 {
                var (previous, value) = (1.0, x)
                for degree in stride(from: 2, through: count, by: 1) {
                    let n = Double(degree)
                    (previous, value) = (value, ((2 * n - 1) * x * value - (n - 1) * previous) / n)
                }
                derivative = Double(count) * (x * value - previous) / (x * x - 1)
                let step = value / derivative
                x -= step
                if abs(step) < 1e-16 { break }
            }
            nodes[index] = (1 - x) / 2
            weights[index] = 1 / ((1 - x * x) * derivative * derivative)
        }
        self.nodes = nodes
        self.weights = weights
    }

    /// The rules with 0, 1, … up to `limit` nodes.
    static func rules(upTo limit: Int) -> [GaussLegendre] { (0...limit).map(GaussLegendre.init) }
}
