using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Orders.Dashboard.Viewing;

namespace Orders.Dashboard.Tests.Viewing;

/// <summary>What a customer typed does not compute in the spreadsheet of an operator.</summary>
internal sealed class CsvTests
{
    [TestCase("=1+1", "'=1+1")]
    [TestCase(" =1+1", "' =1+1")]
    [TestCase("\t=1+1", "'\t'=1+1")]
    [TestCase("-2+3", "'-2+3")]
    [TestCase("+2+3", "'+2+3")]
    [TestCase("@SUM(A1)", "'@SUM(A1)")]
    [TestCase("\uFF1D1+1", "'\uFF1D1+1")]
    [TestCase("x;=1+1;", "x;'=1+1;")]
    [TestCase("x;\"=1+1\"", "x;\"\"'=1+1\"\"")]
    [TestCase("x, @y", "x,' @y")]
    [TestCase("a\t=1+1", "a\t'=1+1")]
    [TestCase("a\n+1", "a\n'+1")]
    [TestCase("a\r\n@x", "a\r\n'@x")]
    [TestCase("a\r=1", "a\r'=1")]
    [TestCase("plain - with = and +49 40 @ 2", "plain - with = and +49 40 @ 2")]
    [TestCase("", "")]
    [TestCase(null, "")]
    [TestCase(-5, "-5")]
    public void A_formula_stays_text_wherever_a_spreadsheet_splits_the_field(object? value, string expected) =>
        Assert.That(Csv.Field(value), Is.EqualTo($"\"{expected}\""));

    [Test]
    public void A_file_says_that_it_is_UTF8_and_quotes_each_field()
    {
        var file = (FileContentHttpResult)
            Csv.File(
                "x",
                ["name", "number"],
                [
                    ["Zoë", 1.5m],
                    ["a\"b", null],
                ]
            );
        Assert.That(
            file.FileContents.ToArray(),
            Is.EqualTo(
                new byte[] { 0xEF, 0xBB, 0xBF }.Concat(
                    Encoding.UTF8.GetBytes("\"name\",\"number\"\r\n\"Zoë\",\"1.5\"\r\n\"a\"\"b\",\"\"\r\n")
                )
            )
        );
    }
}
