using Npgsql;

namespace QueueWorkers.Erasing;

/// <summary>
/// The application's part of an erasure; implemented once, so that the framework need not know what a subject is and
/// where its person stands.
/// </summary>
public interface ISubjectEraser
{
    /// <summary>
    /// The application's columns that may hold something about a person, as <c>table.column</c>. A test fills each of
    /// them, erases, and reads them again.
    /// </summary>
    IReadOnlyList<string> Columns { get; }

    /// <summary>One spelling for all spellings of a person, such as the mail address in lower case.</summary>
    string Normalise(string person);

    /// <summary>Finds what there is about a person.</summary>
    /// <param name="connection">Where to read.</param>
    /// <param name="person">As <see cref="Normalise"/> gives it.</param>
    /// <param name="before">Only what was begun before this moment; null for everything.</param>
    /// <param name="cancellationToken">Cancels.</param>
    Task<PersonalSubjects> FindAsync(
        NpgsqlConnection connection,
        string person,
        DateTimeOffset? before,
        CancellationToken cancellationToken
    );

    /// <summary>All persons of whom there is something, each once, as <see cref="Normalise"/> gives them.</summary>
    IAsyncEnumerable<string> PersonsAsync(NpgsqlConnection connection, CancellationToken cancellationToken);

    /// <summary>
    /// What is done once, in the transaction that begins the erasure, when all subjects are known and unchanged.
    /// </summary>
    Task PrepareAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<Guid> subjects,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// Makes the data of some subjects unreadable, in the caller's transaction. Subjects that are erased, or none of the
    /// application's, are left as they are.
    /// </summary>
    Task EraseAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<Guid> subjects,
        CancellationToken cancellationToken
    );
}

/// <summary>What there is about a person.</summary>
/// <param name="Subjects">All subjects.</param>
/// <param name="Counts">How many rows of each kind, by a word for people.</param>
/// <param name="Main">The count that an operator confirms, such as that of the orders.</param>
/// <param name="Obstacles">Why the erasure cannot begin now, a sentence each; empty when it can.</param>
public sealed record PersonalSubjects(
    IReadOnlyCollection<Guid> Subjects,
    IReadOnlyDictionary<string, long> Counts,
    long Main,
    IReadOnlyList<string> Obstacles
);
