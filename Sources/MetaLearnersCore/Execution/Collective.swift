/// What joins processes that each hold some of the rows: how they add numbers up, and what they tell each other.
///
/// All of them call the same fit with the same spec, each with a collective of its own rank, and all get the same model.
/// Every method is called by all processes in the same order, by one thread of the fit at a time, whichever that is; whoever
/// implements it brings the network (MPI, the communicator of another library, threads of one process) and needs no lock.
///
/// A method that cannot do its work throws; the fit of this process then ends with that error, and `leave()` is called
/// once, so that the others do not wait for it.
public protocol Collective: Sendable {
    /// The number of this process, from 0; rows count in the order of ranks.
    var rank: Int { get }
    /// How many processes there are.
    var size: Int { get }

    /// Replaces each number by its sum over all processes, modulo 2⁶⁴.
    func sum(_ values: UnsafeMutableBufferPointer<Int64>) throws(MetaLearnersError)
    /// Replaces each number by its sum over all processes, added in any order.
    func sum(_ values: UnsafeMutableBufferPointer<Double>) throws(MetaLearnersError)
    /// Replaces each number by the largest of all processes.
    func maximum(_ values: UnsafeMutableBufferPointer<Int64>) throws(MetaLearnersError)
    /// Replaces the bytes of every process by those of `root`.
    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(MetaLearnersError)
    /// Puts the bytes of all processes one after another into `all`, in the order of ranks.
    ///
    /// - Parameter sizes: how many bytes each process has.
    func gather(
        _ bytes: UnsafeRawBufferPointer, sizes: [Int], into all: UnsafeMutableRawBufferPointer
    ) throws(MetaLearnersError)
    /// Says that this process takes part no longer because a method has thrown: calls of the others should throw as soon
    /// as they can. Where the network tells them by itself there is nothing to do.
    func leave()
}

extension Collective {
    public func leave() {}

    /// Tells the other processes that this one cannot take part in what they do together or are about to do: their calls end
    /// with this error, which names the process. For what goes wrong outside of such a call, such as a file that cannot be read.
    public func refuse(because error: MetaLearnersError) { DistributedRows.leave(self, for: error) }
}
