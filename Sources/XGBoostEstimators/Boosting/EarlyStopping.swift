/// Finds the number of rounds after which the loss of the rows held out was least.
struct EarlyStopping {
    private let patience: Int
    private var bestLoss = Double.infinity
    /// After how many rounds the loss was least.
    private(set) var bestRounds = 0

    /// Prepares to wait so many rounds for an improvement.
    init(patience: Int) { self.patience = patience }

    /// Takes the loss after `rounds` rounds, 0 at first, and says whether to stop.
    mutating func shouldStop(_ loss: Double, rounds: Int) -> Bool {
        if loss < bestLoss {
            bestLoss = loss
            bestRounds = rounds
        }
        return rounds - bestRounds >= patience
    }
}
