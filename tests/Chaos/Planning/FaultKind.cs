namespace Orders.Chaos.Planning;

/// <summary>What is done to a part of the system. In plans in lower case.</summary>
public enum FaultKind
{
    /// <summary>SIGKILL; started again after the duration.</summary>
    Kill,

    /// <summary>Frozen (docker pause), then thawed: it goes on as if no time had passed.</summary>
    Freeze,

    /// <summary>Taken off the network, connections half open on both sides; then put back.</summary>
    Cut,

    /// <summary>SIGTERM and a start.</summary>
    Restart,

    /// <summary>
    /// Every worker asked to end by SIGTERM and started again, one after the other, each when the one before it is
    /// healthy.
    /// </summary>
    Roll,

    /// <summary>Every connection of the processes terminated by the database, many times over the duration.</summary>
    Terminate,

    /// <summary>A memory alarm: the broker blocks all publishers.</summary>
    Alarm,

    /// <summary>The mail server or the warehouse misbehaves.</summary>
    Misbehave,

    /// <summary>
    /// The mail server or the warehouse refuses for good, which dead-letters messages, and operators redrive them: now
    /// and then before it has come to its senses.
    /// </summary>
    Redrive,

    /// <summary>
    /// The database role of a worker gets another password and its sessions are terminated; then the password is as
    /// before.
    /// </summary>
    DatabasePassword,

    /// <summary>
    /// The database accepts no connections, and those of all processes are terminated; then it is open again.
    /// </summary>
    DatabaseClosed,

    /// <summary>
    /// The broker user of a worker gets another password and its connections are closed; then the password is as
    /// before.
    /// </summary>
    BrokerPassword,

    /// <summary>
    /// A worker's queue is deleted with all messages in it, while the worker runs or while it is stopped; the system
    /// has to declare it again and to emit its messages again.
    /// </summary>
    DeleteQueue,

    /// <summary>
    /// A worker is scaled out to several replicas, then in again: the additional ones are asked to end by SIGTERM.
    /// </summary>
    Scale,

    /// <summary>
    /// The same version is deployed once more while everything runs, as an operator does who repeats a deployment.
    /// </summary>
    Deploy,

    /// <summary>
    /// A worker is started again with its clock one hour off, fast or slow; then with the right time.
    /// </summary>
    ClockOff,

    /// <summary>
    /// An operator policy on a worker's queue: messages expire after a moment (they are dead-lettered, and redriven in
    /// the end), or the queue takes only a few. Then it is removed.
    /// </summary>
    Policy,

    /// <summary>
    /// A worker dies right after it has committed a claim, in the middle of the call that the claim is for.
    /// </summary>
    KillAfterClaim,

    /// <summary>
    /// The primary of PostgreSQL is killed for good, and its synchronous standby is promoted after the duration.
    /// </summary>
    Failover,
}
