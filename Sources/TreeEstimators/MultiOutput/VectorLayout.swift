/// Which sums of rows leaves with several values are found from, and how they lie side by side: the gradients, the
/// entries of the Hessian matrix, the count, and nothing up to a multiple of four.
struct VectorLayout: Sendable, Equatable {
    /// Which entries of a row's Hessian matrix there are.
    enum Hessian: Sendable {
        /// One number: the matrix is a multiple of the identity.
        case common
        /// The diagonal.
        case diagonal
        /// The lower triangle, row by row.
        case full
    }

    /// How many values a leaf has.
    let outputs: Int
    let hessian: Hessian

    /// The lane of the first entry of the Hessian matrix.
    var hessianLane: Int { outputs }
    /// How many entries of the Hessian matrix there are.
    var hessianCount: Int {
        switch hessian {
        case .common: 1
        case .diagonal: outputs
        case .full: outputs * (outputs + 1) / 2
        }
    }
    /// The lane of the number of rows.
    var countLane: Int { outputs + hessianCount }
    /// How many lanes there are.
    var lanes: Int { (countLane + 4) / 4 * 4 }

    /// The lane of entry (`output`, `output`) of the Hessian matrix.
    @inline(__always)
    func diagonalLane(_ output: Int) -> Int {
        switch hessian {
        case .common: outputs
        case .diagonal: outputs + output
        case .full: outputs + output * (output + 3) / 2
        }
    }
}
