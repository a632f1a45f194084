using System.Text;
using Npgsql;
using Orders.Infrastructure.Coalescing;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>The truth table of SQLSTATEs: what a fault of the database means for the work that met it. The same table stands in ADR 89.</summary>
public sealed class DatabaseFaultTests
{
    [TestCase("21000", DatabaseFaultKind.Data, Description = "one statement met a row twice")]
    [TestCase("22001", DatabaseFaultKind.Data, Description = "too long")]
    [TestCase("22021", DatabaseFaultKind.Data, Description = "no valid text")]
    [TestCase("23505", DatabaseFaultKind.Data, Description = "unique")]
    [TestCase("23503", DatabaseFaultKind.Data, Description = "foreign key")]
    [TestCase("54000", DatabaseFaultKind.Data, Description = "too large for its index")]
    [TestCase("P0001", DatabaseFaultKind.Data, Description = "raised by a trigger")]
    [TestCase("40001", DatabaseFaultKind.Conflict, Description = "serialization")]
    [TestCase("40P01", DatabaseFaultKind.Conflict, Description = "deadlock")]
    [TestCase("55P03", DatabaseFaultKind.Conflict, Description = "lock not available")]
    [TestCase("55006", DatabaseFaultKind.Conflict, Description = "in use")]
    [TestCase("08006", DatabaseFaultKind.Unavailable, Description = "connection failure")]
    [TestCase("25006", DatabaseFaultKind.Unavailable, Description = "read-only")]
    [TestCase("25P03", DatabaseFaultKind.Unavailable, Description = "idle in transaction for too long")]
    [TestCase("28000", DatabaseFaultKind.Unavailable, Description = "role missing or not allowed to log in")]
    [TestCase("28P01", DatabaseFaultKind.Unavailable, Description = "wrong password")]
    [TestCase("3D000", DatabaseFaultKind.Unavailable, Description = "no such database")]
    [TestCase("53100", DatabaseFaultKind.Unavailable, Description = "disk full")]
    [TestCase("53300", DatabaseFaultKind.Unavailable, Description = "too many connections")]
    [TestCase("55000", DatabaseFaultKind.Unavailable, Description = "not accepting connections")]
    [TestCase("57P01", DatabaseFaultKind.Unavailable, Description = "shut down by an administrator")]
    [TestCase("57P02", DatabaseFaultKind.Unavailable, Description = "crashed")]
    [TestCase("57P03", DatabaseFaultKind.Unavailable, Description = "starting up")]
    [TestCase("58030", DatabaseFaultKind.Unavailable, Description = "input or output")]
    [TestCase("42501", DatabaseFaultKind.Refused, Description = "right missing")]
    [TestCase("42P01", DatabaseFaultKind.Refused, Description = "table missing")]
    [TestCase("42703", DatabaseFaultKind.Refused, Description = "column missing")]
    [TestCase("42883", DatabaseFaultKind.Refused, Description = "function missing")]
    [TestCase("3F000", DatabaseFaultKind.Refused, Description = "schema missing")]
    [TestCase("26000", DatabaseFaultKind.Refused, Description = "prepared statement missing")]
    [TestCase("57014", DatabaseFaultKind.Refused, Description = "cancelled by a time limit of the server")]
    [TestCase("XX000", DatabaseFaultKind.Refused, Description = "internal, such as a table changed by two at once")]
    [TestCase("42601", DatabaseFaultKind.Statement, Description = "syntax")]
    [TestCase("0A000", DatabaseFaultKind.Statement, Description = "not supported")]
    [TestCase("25P02", DatabaseFaultKind.Statement, Description = "a statement after the one that failed")]
    [TestCase("", DatabaseFaultKind.Statement, Description = "no SQLSTATE")]
    public void An_SQLSTATE_has_one_meaning(string state, DatabaseFaultKind kind)
    {
        var fault = Fault(state);
        Assert.Multiple(() =>
        {
            Assert.That(DatabaseFault.KindOf(fault), Is.EqualTo(kind));
            Assert.That(DatabaseFault.KindOf(new InvalidOperationException("A step's own words.", fault)), Is.EqualTo(kind), "wrapped");
            Assert.That(DatabaseFault.IsUnitFault(fault), Is.EqualTo(kind is DatabaseFaultKind.Data or DatabaseFaultKind.Conflict), "a batch is split");
            Assert.That(DatabaseFault.IsUnavailable(fault), Is.EqualTo(kind is DatabaseFaultKind.Unavailable), "nothing can be done");
            Assert.That(DatabaseFault.MayPass(fault), Is.EqualTo(kind is DatabaseFaultKind.Conflict or DatabaseFaultKind.Unavailable or DatabaseFaultKind.Refused), "worth waiting for");
            Assert.That(DatabaseFault.StateOf(fault), Is.EqualTo(state));
        });
    }

    [TestCase("42501")]
    [TestCase("0A000")]
    [TestCase("42601")]
    public void A_session_that_ends_says_nothing_about_its_statement(string state) =>
        Assert.That(DatabaseFault.KindOf(new PostgresException("It ends.", "FATAL", "FATAL", state)), Is.EqualTo(DatabaseFaultKind.Unavailable));

    [Test]
    public void A_plan_that_is_out_of_date_is_told_by_its_routine_in_every_language()
    {
        var stale = new PostgresException("zwischengespeicherter Plan darf den Ergebnistyp nicht ändern", "ERROR", "ERROR", "0A000", routine: "RevalidateCachedQuery");
        Assert.That((DatabaseFault.IsStalePlan(stale), DatabaseFault.KindOf(stale)), Is.EqualTo((true, DatabaseFaultKind.Refused)));
    }

    [Test]
    public void What_the_driver_reports_by_itself_is_a_database_that_is_away_and_a_value_that_cannot_be_encoded_is_data() => Assert.Multiple(() =>
    {
        Assert.That(DatabaseFault.KindOf(new NpgsqlException("Exception while reading from stream")), Is.EqualTo(DatabaseFaultKind.Unavailable));
        Assert.That(DatabaseFault.KindOf(new EncoderFallbackException()), Is.EqualTo(DatabaseFaultKind.Data));
        Assert.That(DatabaseFault.KindOf(new NpgsqlException("Exception while writing to stream", new EncoderFallbackException())), Is.EqualTo(DatabaseFaultKind.Data));
        Assert.That(DatabaseFault.KindOf(new TimeoutException("A step's own.")), Is.EqualTo(DatabaseFaultKind.None));
        Assert.That(DatabaseFault.KindOf(new InvalidOperationException("Nothing of the database.")), Is.EqualTo(DatabaseFaultKind.None));
    });

    [TestCase("28P01", "refuses the login")]
    [TestCase("3D000", "does not exist")]
    [TestCase("55000", "accepts no connections")]
    [TestCase("42501", "lacks a right")]
    [TestCase("42P01", "do not fit this version")]
    public void An_operator_is_told_what_it_means(string state, string part) =>
        Assert.That(DatabaseFault.Explain(new InvalidOperationException("", Fault(state))), Does.Contain(part).And.Contain(state));

    private static PostgresException Fault(string state) => new("It says so.", "ERROR", "ERROR", state);
}
