using QueueWorkers.Deployment;

namespace Orders.Infrastructure.Tests.Deployment;

/// <summary>How grants are taken apart.</summary>
public sealed class DatabaseRightTests
{
    [TestCase("select on stock", "SELECT table stock ")]
    [TestCase("SELECT, Insert ON a, b", "SELECT table a ", "INSERT table a ", "SELECT table b ", "INSERT table b ")]
    [TestCase(
        "select (at, ctid), delete on keys",
        "SELECT table keys at",
        "SELECT table keys ctid",
        "DELETE table keys "
    )]
    [TestCase("select on \"__EFMigrationsHistory\"", "SELECT table \"__EFMigrationsHistory\" ")]
    [TestCase("usage on sequence order_number", "USAGE sequence order_number ")]
    [TestCase("execute on function f(text, integer)", "EXECUTE function f(text, integer) ")]
    [TestCase("all privileges on sequence s", "USAGE sequence s ", "SELECT sequence s ", "UPDATE sequence s ")]
    [TestCase("usage on schema public", "USAGE schema public ")]
    public void A_grant_is_privileges_on_objects(string grant, params string[] rights) =>
        Assert.That(
            DatabaseRight.Parse(grant).Select(r => $"{r.Privilege} {r.Kind} {r.Target} {r.Column}"),
            Is.EquivalentTo(rights)
        );

    [TestCase("select stock")]
    [TestCase("read on stock")]
    [TestCase("execute on stock")]
    [TestCase("select; drop table stock on stock")]
    public void What_is_no_grant_is_refused_with_what_was_expected(string grant) =>
        Assert.That(
            () => DatabaseRight.Parse(grant).ToArray(),
            Throws.InstanceOf<FormatException>().With.Message.Contains(grant).And.Message.Contains("expected")
        );
}
