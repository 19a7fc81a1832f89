/// Watches the loss on the held-out rows.
struct EarlyStopping {
    /// Rounds without improvement after which to stop; 0 for never.
    let patience: Int
    /// How many rounds gave the least loss.
    private(set) var bestRounds = 0
    private var bestLoss: Double

    /// Starts with the loss of the base score.
    init(patience: Int, initialLoss: Double) {
        self.patience = patience
        bestLoss = initialLoss
    }

    /// Takes the loss after `rounds` and says whether to stop.
    mutating func shouldStop(_ loss: Double, rounds: Int) -> Bool {
        if loss < bestLoss {
            bestLoss = loss
            bestRounds = rounds
        }
        return rounds - bestRounds >= patience
    }
}
